{{ landed_versions('executions') }}
