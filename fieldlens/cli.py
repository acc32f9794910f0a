"""The command `fieldlens`: finds the verb, runs it, and turns what went wrong into one sentence and an exit status."""

import errno
import importlib
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.terminal.signals import Interrupted, signals_interrupt
from fieldlens.terminal.streams import lasting_streams, printable
from fieldlens.verbs import DONE, NOT_TOLD, WRONG_INPUT

NO_FAULT_OF_OURS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM),
}
"""Errors of a system that has no room left, or is broken: they need a sentence, and a traceback says no more."""

VERBS = {
    "fit": "fit a picture or a 3D scene and watch it being learnt: frames, video, explanation, report",
    "compare": "fit pictures or 3D scenes under several encodings and set them side by side",
    "view": "open finished runs in a browser, with their networks there to be asked, also side by side",
    "render": "draw a fitted field at any size, any region of it, or a film around a 3D scene",
    "export": "write the surface of a 3D scene as a mesh, or the depth of its held-out views",
    "share": "make a film of how it was learnt, to be sent to somebody, and a poster of six steps",
    "figure": "draw the curves of runs as PDF, SVG or PNG",
    "analyze": "explain again what a fit is missing of its picture or 3D scene, from any checkpoint, without training",
    "paper": "measure the claims of Lazzari & Liu on fits of your own making",
    "scenes": "list what is built in",
    "runs": "list the runs and comparisons that are there, and delete some",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the result is the exit status: 0 done, 1 done but the result could not be written to standard
    output, 2 wrong input, 130 interrupted (143 and 129 by SIGTERM and SIGHUP)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    with lasting_streams() as output, signals_interrupt():
        status = _run(words)
        output.flush()
        if output.failure is None:
            return status
        _say(f"the result could not be written to standard output ({output.failure}); files are not affected")
        return status or NOT_TOLD


def _run(words: Sequence[str]) -> int:
    if words[:1] == ["help"]:  # `help fit` is `fit --help`
        words = [*words[1:2], "--help"]
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return DONE if words else WRONG_INPUT
    if words[0] in ("--version", "version"):
        print(f"fieldlens {version('fieldlens')}")
        return DONE
    verb, *rest = words
    try:
        if verb not in VERBS:
            raise InputError(f"unknown verb {verb!r}{_instead(verb)}")
        return importlib.import_module(f"fieldlens.verbs.{verb}").main(rest)
    except InputError as error:
        _say(str(error))
        return WRONG_INPUT
    except OSError as error:
        if error.errno not in NO_FAULT_OF_OURS:
            raise
        _say(f"this cannot go on: {error.strerror}" + (f": {str(error.filename)!r}" if error.filename else ""))
        return WRONG_INPUT
    except KeyboardInterrupt as ended:
        interrupted = ended if isinstance(ended, Interrupted) else Interrupted()
        _say(str(interrupted))
        return interrupted.status
    except SystemExit as leaving:  # the parser has printed help
        return DONE if not leaving.code else WRONG_INPUT


def _say(sentence: str) -> None:
    print(f"fieldlens: {printable(sentence)}", file=sys.stderr)


def _instead(word: str) -> str:
    """What to write instead of a word that is no verb: fit, where it looks like something to fit."""
    if any(mark in word for mark in "./:") and not word.startswith("-"):
        return f"; did you mean `fieldlens fit {shlex.quote(word)}`?"
    return did_you_mean(word, VERBS)


def usage() -> str:
    """What `fieldlens --help` prints."""
    verbs = "\n".join(f"  {verb:<9} {what}" for verb, what in VERBS.items())
    return (
        "fieldlens fits small neural networks to pictures and 3D scenes, shows every step, and explains the detail "
        "that is missing.\n\n"
        f"usage: fieldlens VERB [options]\n\n{verbs}\n\n"
        "`fieldlens VERB --help` lists a verb's options. Try `fieldlens fit astronaut` or `fieldlens fit demo:teapot`."
    )
