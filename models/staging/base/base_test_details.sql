{{ landed_versions('test_details') }}
