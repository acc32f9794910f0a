"""What is no cluster, or not one that can make the fits, is refused before it is asked for anything."""

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.studies.making import connection
from fieldlens.studies.making.connection import connected, require_address, require_same


@pytest.mark.parametrize("address", ["", "here", "tcp://10.0.0.1", "udp://10.0.0.1:1", "tcp://10.0.0.1:1/path"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="--cluster takes the address of a Dask scheduler"):
        require_address(address)


def test_where_no_scheduler_answers_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)
    with (
        pytest.raises(InputError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:1' "),
        connected("tcp://127.0.0.1:1"),
    ):
        pass


def test_without_certificates_tls_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="takes certificates"), connected("tls://127.0.0.1:1"):
        pass


def test_who_has_another_version_of_this_program_or_none_is_named() -> None:
    def versions(scheduler: str | None, worker: str, torch: str) -> dict[str, object]:
        def of(program: str | None, torch: str) -> dict[str, object]:
            return {"packages": {"fieldlens": program, "torch": torch}}

        return {
            "client": of("0.1.0", "2.13.0+cpu"),
            "scheduler": of(scheduler, "2.13.0"),
            "workers": {"tcp://10.0.0.2:1": of("0.1.0", "2.13.0"), "tcp://10.0.0.3:1": of(worker, torch)},
        }

    require_same(versions("0.1.0", "0.1.0", "2.13.0+cu126"))
    with pytest.raises(InputError, match="the scheduler of the cluster has no fieldlens"):
        require_same(versions(None, "0.1.0", "2.13.0"))
    with pytest.raises(
        InputError, match=r"tcp://10\.0\.0\.3:1 of the cluster has fieldlens 0\.2\.0, and here it is 0\.1\.0"
    ):
        require_same(versions("0.1.0", "0.2.0", "2.13.0"))
    with pytest.raises(InputError, match=r"has torch 2\.6\.0, and here it is 2\.13\.0\+cpu"):
        require_same(versions("0.1.0", "0.1.0", "2.6.0"))
