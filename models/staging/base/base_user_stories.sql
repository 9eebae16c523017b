{{ landed_versions('user_stories') }}
