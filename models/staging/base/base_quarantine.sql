{{ landed_rows('quarantine') }}
