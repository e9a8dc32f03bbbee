#!/bin/bash
export PYTHONPATH=${0%/*}/../../tools PYTHONDONTWRITEBYTECODE=1
exec python3 "${0%.sh}.py"
