{{ landed_versions('features') }}
