"""Checks whether the last run of a dlt pipeline has read everything."""

import dlt

from testio_loader.errors import IncompleteLoadError
from testio_loader.land.ledger import ledger_of_pipeline


def raise_if_incomplete(pipeline: dlt.Pipeline) -> None:
    """Raise an error if the last run of a pipeline could not read every scope.

    Call it after `run` has returned. The records that it could read have landed, and no missing
    record counts as deleted, so `dbt build` may follow. The next run reads the incomplete scopes
    again.

    Args:
        pipeline: the pipeline that ran the source `testio`, with dlt's trace on (the default).

    Raises:
        IncompleteLoadError: if a scope is incomplete; `problems` has the reasons.

    Example:
        >>> pipeline.run(testio())
        >>> raise_if_incomplete(pipeline)
    """
    trace = pipeline.last_trace
    info = trace.last_load_info if trace else None
    ledger = ledger_of_pipeline(pipeline)
    load_ids = info.loads_ids if info else [ledger.latest_load_id()]
    problems = [problem for load_id in load_ids for problem in ledger.problems(load_id)]
    if problems:
        raise IncompleteLoadError(problems)
