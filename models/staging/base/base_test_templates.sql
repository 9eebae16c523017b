{{ landed_versions('test_templates') }}
