{{ landed_versions('bugs') }}
