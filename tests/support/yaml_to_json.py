# SPDX-License-Identifier: MIT
"""Writes the documents of a YAML file as one JSON array; every scalar is a string, as it stands there."""
import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as f:
    json.dump(list(yaml.load_all(f, Loader=yaml.BaseLoader)), sys.stdout)
