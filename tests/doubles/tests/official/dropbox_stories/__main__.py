"""Stories of the official SDK at the double of Dropbox; one is named on the command line."""

import sys

import batches
import limits
import lists
import signing_in
import writes

story, arguments = sys.argv[1], sys.argv[2:]
modules = (batches, limits, lists, signing_in, writes)
(tell,) = [getattr(module, story) for module in modules if hasattr(module, story)]
tell(*arguments)
print(f"{story}: done")
