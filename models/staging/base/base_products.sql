{{ landed_versions('products') }}
