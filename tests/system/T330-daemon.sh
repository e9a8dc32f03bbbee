#!/bin/bash
# slow
exec python3 "${0%.sh}.py"
