"""Reads the ledger back: what a load has done, how the warehouse stands, what need not be read again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dlt
import orjson

from loader.endpoints import ENDPOINTS, PRODUCTS, TESTS
from loader.rereading import Known
from loader.tables import LEDGER, QUARANTINE
