{# Overrides dbt's macros on PostgreSQL: a statement that needs exclusive access to a table waits for all
   transactions that have read it, and later readers wait behind the statement. #}
{% macro postgres__rename_relation(from_relation, to_relation) -%}
    {%- call statement('rename_relation') -%}
        {{ testio.patiently('alter table ' ~ from_relation ~ ' rename to ' ~ adapter.quote(to_relation.identifier)) }}
    {%- endcall %}
{%- endmacro %}

{% macro postgres__drop_table(relation) -%}
    {{ testio.patiently('drop table if exists ' ~ relation ~ ' cascade') }}
{%- endmacro %}

{% macro postgres__drop_view(relation) -%}
    {{ testio.patiently('drop view if exists ' ~ relation ~ ' cascade') }}
{%- endmacro %}

{# It waits for the lock for one second, then lets the waiting readers through, and waits longer each time.
   Within 10 seconds it gets the lock even if queries follow each other without a gap. #}
{% macro patiently(statement) -%}
    do $patiently$
    declare
        began_at timestamptz := clock_timestamp();
        seconds integer := 1;
        holders text;
    begin
        loop
            begin
                perform set_config('lock_timeout', seconds || 's', true);
                execute $statement${{ statement }}$statement$;
                return;
            exception when lock_not_available or deadlock_detected then
                if clock_timestamp() > began_at + {{ var('lock_wait_seconds') | int }} * interval '1 second' then
                    select string_agg(distinct format(
                        '%s (user %s, process %s) holds %s.%s',
                        coalesce(nullif(application_name, ''), 'an unnamed program'), usename, pid, nspname, relname
                    ), '; ')
                    into holders
                    from pg_locks
                    inner join pg_stat_activity using (pid)
                    inner join pg_class on pg_locks.relation = pg_class.oid and relkind in ('r', 'v')
                    inner join pg_namespace on relnamespace = pg_namespace.oid
                    where
                        granted
                        and database = (select oid from pg_database where datname = current_database())
                        and nspname not in ('pg_catalog', 'information_schema')
                        and application_name <> current_setting('application_name');
                    raise lock_not_available using message = format(
                        'no lock within %s s (var lock_wait_seconds): %s; end that transaction, then build again',
                        {{ var('lock_wait_seconds') | int }}, coalesce(holders, 'whoever held it is gone by now')
                    );
                end if;
            end;
            perform pg_sleep(seconds);
            seconds := least(2 * seconds, 10);
        end loop;
    end
    $patiently$
{%- endmacro %}
