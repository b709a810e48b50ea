"""Files one by one."""

import io
import os
import zipfile

import requests

# First, for it tells the SDK where the double is.
from support import BASE, client, everything, patiently, raises, refused

import dropbox
from dropbox import exceptions, files
from dropbox.files import WriteMode


def upload_and_download():
    dbx = client()
    content = b"two, three, five"
    written = dbx.files_upload(content, "/Homework/Prime.txt")
    assert isinstance(written, files.FileMetadata)
    assert written.path_lower == "/homework/prime.txt"
    assert written.path_display == "/Homework/Prime.txt"
    assert written.name == "Prime.txt" and written.size == len(content)
    assert written.content_hash == dropbox.content_hash.content_hash(content)
    metadata, response = dbx.files_download("/HOMEWORK/prime.TXT")
    assert response.content == content and metadata == written
    assert dbx.files_get_metadata("/homework/prime.txt") == written
    assert isinstance(dbx.files_get_metadata("/homework"), files.FolderMetadata)
    by_id, _ = dbx.files_download(written.id)
    assert by_id.rev == written.rev


def names_that_are_not_ascii():
    dbx = client()
    for name in ("Grün.txt", "日本語", "😀", "\u007f \n\"quoted\\"):
        written = dbx.files_upload(name.encode(), f"/{name}")
        assert written.name == name and written.path_display == f"/{name}"
        metadata, response = dbx.files_download(f"/{name.upper()}")
        assert metadata == written and response.content == name.encode()
    assert len(everything(dbx)[0]) == 4


def conflicts():
    dbx = client()
    first = dbx.files_upload(b"one", "/Log/1", strict_conflict=True)
    # Identical content is no conflict, unless it is strict.
    again = dbx.files_upload(b"one", "/log/1")
    assert again.rev == first.rev and again.id == first.id
    strict = refused(dbx.files_upload, b"one", "/log/1", strict_conflict=True)
    assert strict.get_path().reason.get_conflict().is_file()
    assert strict.get_path().upload_session_id
    other = refused(dbx.files_upload, b"two", "/LOG/1")
    assert other.get_path().reason.get_conflict().is_file()
    folder = refused(dbx.files_upload, b"two", "/Log", mode=WriteMode.overwrite)
    assert folder.get_path().reason.get_conflict().is_folder()
    under = refused(dbx.files_upload, b"two", "/log/1/2")
    assert under.get_path().reason.get_conflict().is_file_ancestor()
    assert dbx.files_upload(b"two", "/log/1", autorename=True).path_lower == "/log/1 (2)"
    # What was refused is not written; its session can be finished under another name.
    assert dbx.files_download("/log/1")[1].content == b"one"
    cursor = files.UploadSessionCursor(other.get_path().upload_session_id, 3)
    dbx.files_upload_session_finish(b"", cursor, files.CommitInfo("/log/2"))
    assert dbx.files_download("/log/2")[1].content == b"two"


def updates_by_rev():
    dbx = client()
    first = dbx.files_upload(b"one", "/lock")
    second = dbx.files_upload(b"two", "/lock", mode=WriteMode.update(first.rev), strict_conflict=True)
    assert second.rev != first.rev and second.id == first.id
    assert len(second.rev) >= 9 and int(second.rev, 16)
    stale = refused(dbx.files_upload, b"3", "/lock", mode=WriteMode.update(first.rev))
    assert stale.get_path().reason.get_conflict().is_file()
    # Without strict_conflict the rev of what is gone does not matter.
    dbx.files_delete_v2("/lock")
    mode = WriteMode.update(second.rev)
    gone = refused(dbx.files_upload, b"4", "/lock", mode=mode, strict_conflict=True)
    assert gone.get_path().reason.get_conflict().is_file()
    anew = dbx.files_upload(b"4", "/lock", mode=mode)
    assert anew.id != first.id
    over = dbx.files_upload(b"5", "/lock", mode=WriteMode.overwrite)
    assert over.id == anew.id and over.rev != anew.rev
    assert dbx.files_download(f"rev:{over.rev}")[1].content == b"5"


def deletes():
    dbx = client()
    first = dbx.files_upload(b"one", "/lock")
    second = dbx.files_upload(b"two", "/lock", mode=WriteMode.overwrite)
    stale = refused(dbx.files_delete_v2, "/lock", parent_rev=first.rev)
    assert stale.get_path_write().get_conflict().is_file()
    gone = dbx.files_delete_v2("/lock", parent_rev=second.rev).metadata
    assert isinstance(gone, files.FileMetadata) and gone.rev == second.rev
    assert refused(dbx.files_delete_v2, "/lock").get_path_lookup().is_not_found()
    assert refused(dbx.files_get_metadata, "/lock").get_path().is_not_found()
    deleted = dbx.files_get_metadata("/lock", include_deleted=True)
    assert isinstance(deleted, files.DeletedMetadata)

    for name in "abc":
        dbx.files_upload(name.encode(), f"/folder/{name}")
    paths = ("/folder/a", "/none", "/FOLDER/b")
    started = dbx.files_delete_batch([files.DeleteArg(path) for path in paths])
    job = started.get_async_job_id()
    assert dbx.files_delete_batch_check(job).is_in_progress()
    a, none, b = patiently(lambda: dbx.files_delete_batch_check(job)).get_complete().entries
    assert a.get_success().metadata.name == "a" and b.get_success().metadata.name == "b"
    assert none.get_failure().get_path_lookup().is_not_found()
    assert [entry.name for entry in everything(dbx, "/folder")[0]] == ["c"]
    unknown = refused(dbx.files_delete_batch_check, "dbjid:none")
    assert unknown.is_invalid_async_job_id()
    of_another = refused(dbx.files_upload_session_finish_batch_check, job)
    assert of_another.is_invalid_async_job_id()


def folders_and_moves():
    dbx = client()
    made = dbx.files_create_folder_v2("/Folder").metadata
    assert isinstance(made, files.FolderMetadata) and made.path_display == "/Folder"
    again = refused(dbx.files_create_folder_v2, "/folder")
    assert again.get_path().get_conflict().is_folder()
    first = dbx.files_upload(b"one", "/tmp/1")
    dbx.files_upload(b"two", "/tmp/2")
    moved = dbx.files_move_v2("/tmp/1", "/folder/Slot").metadata
    assert moved.path_display == "/Folder/Slot" and moved.id == first.id
    lost = refused(dbx.files_move_v2, "/tmp/2", "/folder/slot")
    assert lost.get_to().get_conflict().is_file()
    none = refused(dbx.files_move_v2, "/tmp/1", "/folder/other")
    assert none.get_from_lookup().is_not_found()
    dbx.files_move_v2("/Folder", "/Elsewhere")
    assert dbx.files_download("/elsewhere/slot")[1].content == b"one"


def copies():
    dbx = client()
    first = dbx.files_upload(b"one", "/1")
    dbx.files_upload(b"two", "/2")
    copied = dbx.files_copy_v2("/1", "/Copies/1").metadata
    assert copied.content_hash == first.content_hash and copied.id != first.id
    # Also with the same content.
    there = refused(dbx.files_copy_v2, "/1", "/copies/1")
    assert there.get_to().get_conflict().is_file()
    none = refused(dbx.files_copy_v2, "/3", "/copies/3")
    assert none.get_from_lookup().is_not_found()
    names = [("/1", "/copies/11"), ("/3", "/copies/3"), ("/2", "/copies/1")]
    paths = [files.RelocationPath(*pair) for pair in names]
    job = dbx.files_copy_batch_v2(paths).get_async_job_id()
    assert dbx.files_copy_batch_check_v2(job).is_in_progress()
    done, none, there = patiently(lambda: dbx.files_copy_batch_check_v2(job)).get_complete().entries
    assert done.get_success().name == "11"
    assert none.get_failure().get_relocation_error().get_from_lookup().is_not_found()
    assert there.get_failure().get_relocation_error().get_to().get_conflict().is_file()
    dbx.files_delete_v2("/1")
    assert dbx.files_download("/copies/11")[1].content == b"one"
    of_another = refused(dbx.files_delete_batch_check, job)
    assert of_another.is_invalid_async_job_id()


def contents_are_checked():
    dbx = client(auto_content_hash=False)
    wrong = dropbox.content_hash.content_hash(b"other")
    error = refused(dbx.files_upload, b"content", "/a", content_hash=wrong)
    assert error.is_content_hash_mismatch()
    error = refused(dbx.files_upload_session_start, b"content", content_hash=wrong)
    assert error.is_content_hash_mismatch()
    large = bytes(5 << 20)
    right = dropbox.content_hash.content_hash(large)
    assert dbx.files_upload(large, "/a", content_hash=right).content_hash == right


def a_folder_as_zip():
    dbx = client()
    for name in ("one", "two/Three"):
        dbx.files_upload(name.encode() * 100, f"/Docs/{name}")
    result, response = dbx.files_download_zip("/docs")
    assert result.metadata.path_display == "/Docs"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.read("Docs/one") == b"one" * 100
        assert archive.read("Docs/two/Three") == b"two/Three" * 100
    assert refused(dbx.files_download_zip, "/none").get_path().is_not_found()


def wrong_calls_are_refused():
    dbx = client()
    root = raises(exceptions.BadInputError, dbx.files_list_folder, "/")
    assert root.message == (
        'Error in call to API function "files/list_folder": request body: path: '
        'Specify the root folder as an empty string rather than as "/".'
    )
    cursor = dbx.files_list_folder("").cursor
    rooted = dbx.with_path_root(dropbox.common.PathRoot.home)
    error = raises(exceptions.BadInputError, rooted.files_list_folder, "")
    assert error.message.endswith("Path root is not supported for sandbox app.")
    too_many = [files.DeleteArg(f"/{i}") for i in range(1000)]
    arg = '{"entries": [' + ", ".join(['{"path": "/a"}'] * 1001) + "]}"
    assert dbx.files_delete_batch(too_many).is_async_job_id()
    for route, body in (
        ("files/delete_batch", arg),
        ("files/list_folder/longpoll", '{"cursor": "%s", "timeout": 29}' % cursor),
        ("files/list_folder/longpoll", '{"cursor": "%s", "timeout": 481}' % cursor),
        ("files/list_folder", '{"path": "", "unknown": 1}'),
        ("files/get_metadata", '{"path": "no slash"}'),
        ("files/get_metadata", "{"),
    ):
        headers = {"Content-Type": "application/json"}
        if "longpoll" not in route:
            headers["Authorization"] = "Bearer " + os.environ["DROPBOX_TOKEN"]
        answer = requests.post(f"{BASE}/2/{route}", data=body, headers=headers)
        assert answer.status_code == 400, (route, answer.text)
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.startswith(f'Error in call to API function "{route}": ')
