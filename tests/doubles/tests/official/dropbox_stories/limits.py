"""When the service says to wait."""

import time

# First, for it tells the SDK where the double is.
from support import client, raises

from dropbox import exceptions


def a_limit_is_seen():
    """The double limits four uploads: JSON, text, and contention without and with seconds."""
    dbx = client(max_retries_on_rate_limit=0)
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    assert error.backoff == 7 and error.error.reason.is_too_many_requests()
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    assert error.backoff == 8 and error.error is None
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    # The SDK's default, for the field is not there.
    assert error.backoff == 1 and error.error.reason.is_too_many_write_operations()
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    assert error.backoff == 3 and error.error.reason.is_too_many_write_operations()
    dbx.files_upload(b"a", "/a")


def a_limit_is_waited_for():
    """The double limits one upload for a second, and fails another."""
    began = time.monotonic()
    client().files_upload(b"a", "/limited")
    assert 1 <= time.monotonic() - began < 5
    client().files_upload(b"a", "/failing")
