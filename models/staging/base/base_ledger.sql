{{ landed_rows('ledger') }}
