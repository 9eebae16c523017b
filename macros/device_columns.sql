{% macro device_columns() %}
    {{- return([
        ('device_id', 'id', 'bigint'),
        ('category', 'category.name', 'text'),
        ('vendor', 'vendor.name', 'text'),
        ('device_name', 'device.name', 'text'),
        ('operating_system', 'operating_system.name', 'text'),
        ('operating_system_version', 'operating_system_version.name', 'text'),
        ('browsers', 'browsers', 'array'),
    ]) }}
{% endmacro %}
