{{ landed_versions('test_case_tests') }}
