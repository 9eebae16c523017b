"""How what is read lands in the warehouse, through dlt."""
