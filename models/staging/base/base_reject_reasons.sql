{{ landed_versions('reject_reasons') }}
