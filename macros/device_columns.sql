{% macro device_columns() %}
    {{- return([
        ('device_id', 'id', 'bigint'),
        ('category', 'category.name', 'name'),
        ('vendor', 'vendor.name', 'name'),
        ('device_name', 'device.name', 'name'),
        ('operating_system', 'operating_system.name', 'name'),
        ('operating_system_version', 'operating_system_version.name', 'label'),
        ('browsers', 'browsers', 'array'),
    ]) }}
{% endmacro %}
