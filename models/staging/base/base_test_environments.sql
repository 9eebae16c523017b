{{ landed_versions('test_environments') }}
