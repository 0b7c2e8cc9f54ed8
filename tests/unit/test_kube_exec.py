"""What the final Status of an exec stream says of the command (failure-modes.md, row 6)."""

from __future__ import annotations

import json

import pytest

from ansflow_desktop.kube.exec import Ended, _ended


def status(**fields: object) -> bytes:
    return json.dumps({"kind": "Status", "status": "Failure", **fields}).encode()


@pytest.mark.parametrize(
    ("body", "how", "code"),
    [
        (b'{"status": "Success"}', Ended.EXITED, 0),
        (status(details={"causes": [{"reason": "ExitCode", "message": "3"}]}), Ended.EXITED, 3),
        (status(message="Internal error occurred: Internal error occurred: exit status 3"), Ended.EXITED, 3),
        (status(message="the log says exit status 3 and more"), Ended.LOST, None),
        (status(message='container not found ("x")'), Ended.REFUSED, None),
        (status(details={"causes": [{"reason": "ExitCode", "message": "three"}]}), Ended.LOST, None),
        (b"no JSON", Ended.LOST, None),
    ],
)
def test_only_the_status_decides(body: bytes, how: Ended, code: int | None) -> None:
    end = _ended(body)
    assert (end.how, end.exit_code) == (how, code)
