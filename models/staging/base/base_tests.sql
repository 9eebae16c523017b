{{ landed_versions('tests') }}
