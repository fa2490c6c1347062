#!/bin/sh
# The fail script: append what HEAT says about a failure to failures.txt.
# In real life it sends a mail, a chat message or a page.
set -eu

env | grep '^HEAT_' | sort | tr '\n' ' ' >>failures.txt
echo >>failures.txt
