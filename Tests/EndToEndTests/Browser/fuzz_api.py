"""Sends what schemathesis makes of the description to the API, with real names filled in so that requests reach something.

    fuzz_api.py ADDRESS TOKEN FOLDER
"""

import os
import subprocess
import sys
import urllib.request

import yaml

address, token, folder = sys.argv[1:4]
request = urllib.request.Request(address + "/openapi.yaml", headers={"Authorization": f"Bearer {token}"})
with urllib.request.urlopen(request) as answer:
    description = yaml.safe_load(answer)
parameters = description["components"]["parameters"]
parameters["connection"]["schema"]["enum"] = ["1", "2"]
parameters["device"]["schema"]["enum"] = ["candy3.cafenet", "frank1.cafenet", "accounts1.cafenet", "nobody1.cafenet"]
# The connection of the test shall live, and the stream of events does not end.
del description["paths"]["/connections/{connection}"]
del description["paths"]["/events"]
path = os.path.join(folder, "openapi.yaml")
with open(path, "w", encoding="utf-8") as file:
    yaml.safe_dump(description, file)
command = [
    os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", path, "--url", address + "/api/v1",
    "-H", f"Authorization: Bearer {token}", "-n", os.environ.get("IOCOM_FUZZ_EXAMPLES", "15"),
    "--checks", "not_a_server_error", "--request-timeout", "60", "--seed", "1",
]
sys.exit(subprocess.run(command, cwd=folder).returncode)
