"""Tokens: got, renewed, ended."""

import os
from datetime import datetime, timedelta

import requests

# First, for it tells the SDK where the double is.
from support import BASE, Plain, client, raises

import dropbox
from dropbox import exceptions

VERIFIER = "v" * 43


def a_code_becomes_tokens(code):
    flow = dropbox.DropboxOAuth2FlowNoRedirect(
        os.environ["DROPBOX_APP_KEY"], token_access_type="offline", use_pkce=True
    )
    flow.requests_session = Plain()
    flow.code_verifier = VERIFIER
    result = flow.finish(code)
    assert result.expires_at > datetime.utcnow() + timedelta(hours=3)
    assert "files.content.write" in result.scope.split(" ")
    dbx = client(oauth2_access_token=result.access_token)
    assert dbx.users_get_current_account().account_id == result.account_id
    # A code is good once.
    error = raises(requests.HTTPError, flow.finish, code)
    assert error.response.json()["error"] == "invalid_grant"
    later = client(
        oauth2_access_token=None,
        oauth2_refresh_token=result.refresh_token,
        app_key=os.environ["DROPBOX_APP_KEY"],
    )
    later.files_upload(b"a", "/a")


def a_user_signs_in():
    flow = dropbox.DropboxOAuth2FlowNoRedirect(
        os.environ["DROPBOX_APP_KEY"], token_access_type="offline", use_pkce=True
    )
    flow.requests_session = Plain()
    page = flow.start().replace("https://www.dropbox.com", BASE)
    shown = requests.get(page)
    assert shown.status_code == 200, shown.text
    result = flow.finish(shown.text)
    client(oauth2_access_token=result.access_token).files_upload(b"a", "/a")
    # A code is of no use with another verifier.
    stolen = requests.get(page).text
    flow.code_verifier = "w" * 43
    error = raises(requests.HTTPError, flow.finish, stolen)
    assert error.response.json()["error"] == "invalid_grant"


def signed_in(**options):
    """A client whose access token seems to have hours left."""
    return client(
        oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"],
        oauth2_access_token_expiration=datetime.utcnow() + timedelta(hours=4),
        app_key=os.environ["DROPBOX_APP_KEY"],
        **options,
    )


def an_expired_token_is_refreshed():
    error = raises(exceptions.AuthError, client().files_list_folder, "")
    assert error.error.is_expired_access_token()
    dbx = signed_in()
    dbx.files_upload(b"a", "/a")
    assert dbx._oauth2_access_token != os.environ["DROPBOX_TOKEN"]


def a_token_is_refreshed_before_it_ends(life):
    """The SDK renews what has less than five minutes left."""
    dbx = client(
        oauth2_access_token=None,
        oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"],
        app_key=os.environ["DROPBOX_APP_KEY"],
    )
    dbx.files_upload(b"a", "/a")
    left = dbx._oauth2_access_token_expiration - datetime.utcnow()
    assert int(life) - 10 < left.total_seconds() <= int(life)
    first = dbx._oauth2_access_token
    dbx.files_upload(b"b", "/b")
    assert dbx._oauth2_access_token != first


def what_is_revoked_is_refused():
    error = raises(exceptions.AuthError, client().files_list_folder, "")
    assert error.error.is_invalid_access_token()
    dbx = client(
        oauth2_access_token=None,
        oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"],
        app_key=os.environ["DROPBOX_APP_KEY"],
    )
    # The SDK makes this of 400 invalid_grant.
    error = raises(exceptions.AuthError, dbx.files_list_folder, "")
    assert error.error.is_invalid_access_token()
    malformed = raises(exceptions.BadInputError, client(oauth2_access_token="x").files_list_folder, "")
    assert malformed.message == (
        'Error in call to API function "files/list_folder": '
        "The given OAuth 2 access token is malformed."
    )


def the_user_signs_out():
    dbx = signed_in()
    dbx.auth_token_revoke()
    error = raises(exceptions.AuthError, dbx.files_list_folder, "")
    assert error.error.is_invalid_access_token()
    raises(exceptions.AuthError, dbx.refresh_access_token)


def a_scope_is_missing():
    """The token may only read."""
    dbx = client()
    assert dbx.files_list_folder("").entries == []
    error = raises(exceptions.AuthError, dbx.files_upload, b"a", "/a").error
    assert error.get_missing_scope().required_scope == "files.content.write"
