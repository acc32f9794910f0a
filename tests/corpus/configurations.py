"""Configurations, as a person writes them or finds them: YAML that grows, repeats itself, or says what cannot be."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fieldlens.configs.run import FitConfig
from fieldlens.configs.storage import read_config, to_yaml

from .case import EITHER, REFUSED, Case, Kind, spoilt


def read(path: Path) -> Any:
    """The encoding's word, and the steps."""
    config = read_config(path, FitConfig)
    return [str(config.encoding), config.training.steps]


def cases() -> Iterator[Case]:
    """All of them."""
    whole = to_yaml(FitConfig(scene="astronaut"))
    start = "schema: 3\nscene: astronaut\n"
    yield Case("good.yaml", whole.encode(), ["fourier:8", None])
    yield Case("short.yaml", f"{start}encoding: raw\ntraining: {{steps: 5}}\n".encode(), ["raw", 5])
    yield from spoilt("text.yaml", whole.encode(), EITHER)
    for name, text in {
        "empty": "",
        "a_word": "astronaut",
        "a_list": "- schema\n- 3\n",
        "no_schema": "scene: astronaut\n",
        "schema_of_tomorrow": "schema: 99\nscene: astronaut\n",
        "schema_of_words": "schema: three\n",
        "schema_huge": f"schema: {'9' * 4000}\n",
        "key_unknown": f"{start}epochs: 5\n",
        "key_nearly_right": f"{start}encodnig: raw\n",
        "key_twice": f"{start}scene: chelsea\n",
        "key_a_number": f"{start}5: 6\n",
        "key_a_list": f"{start}? [a, b]\n: 6\n",
        "steps_below_0": f"{start}training: {{steps: -5}}\n",
        "steps_no_number": f"{start}training: {{steps: .nan}}\n",
        "steps_infinite": f"{start}training: {{steps: .inf}}\n",
        "steps_with_a_fraction": f"{start}training: {{steps: 5.5}}\n",
        "steps_true": f"{start}training: {{steps: true}}\n",
        "steps_a_date": f"{start}training: {{steps: 2026-02-01}}\n",
        "a_date_that_is_none": f"{start}training: {{steps: 2026-02-30}}\n",
        "training_a_list": f"{start}training: [5]\n",
        "rate_no_number": f"{start}training: {{learning_rate: .nan}}\n",
        "rate_below_0": f"{start}training: {{learning_rate: -0.1}}\n",
        "seed_huge": f"{start}seed: {10**40}\n",
        "seed_of_many_digits": f"{start}seed: {'9' * 9000}\n",
        "encoding_unknown": f"{start}encoding: fourrier:8\n",
        "encoding_huge": f"{start}encoding: fourier:9999999\n",
        "encoding_a_group": f"{start}encoding: {{kind: fourier}}\n",
        "encoding_a_file": f"{start}encoding: ../../etc/passwd:waves\n",
        "network_huge": f"{start}network: {{width: 99999999999, depth: 4}}\n",
        "network_flat": f"{start}network: {{width: 0, depth: 0}}\n",
        "activation_unknown": f"{start}network: {{activation: gelu}}\n",
        "frames_unknown": f"{start}output: {{frames: 'every:0'}}\n",
        "scene_of_many_letters": f"schema: 3\nscene: {'a' * 5000}\n",
        "scene_a_list": "schema: 3\nscene: [a]\n",
        "object_of_python": f"{start}seed: !!python/object/apply:os.system ['true']\n",
        "name_of_python": f"{start}seed: !!python/name:os.system\n",
        "tag_unknown": f"{start}seed: !mine 5\n",
        "within_itself": f"{start}training: &a {{steps: *a}}\n",
        "alias_of_nothing": f"{start}seed: *none\n",
        "tabs": f"{start}training:\n\tsteps: 5\n",
        "brackets": "[" * 5000,
        "groups": "{a: " * 2000,
        "two_documents": f"{start}---\n{start}",
        "quote_without_end": f"{start}encoding: 'raw\n",
        "many_letters": f"{start}encoding: {'a' * 300_000}\n",
        "values_by_the_thousand": f"{start}encoding: [{'1,' * 40_000}]\n",
        "lists_that_grow": "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{(f'*{a},') * 9}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "groups_that_merge": "a: &a {x: 1}\n"
        + "".join(f"{b}: &{b} {{<<: [{(f'*{a},') * 9}]}}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    }.items():
        ends = EITHER if name in ("encoding_a_file", "scene_of_many_letters") else REFUSED
        yield Case(f"{name}.yaml", text.encode(), ends)
    yield Case("zeros.yaml", bytes(2000))
    yield Case("bytes_of_no_text.yaml", b"schema: 3\nscene: \xff\xfe\xfd\n")
    yield Case("wide_letters.yaml", whole.encode("utf-16"), EITHER)
    yield Case("mark_of_utf8.yaml", b"\xef\xbb\xbf" + whole.encode(), ["fourier:8", None])
    yield Case("other_ends_of_lines.yaml", whole.replace("\n", "\r\n").encode(), ["fourier:8", None])


CONFIGURATIONS = Kind("configurations", read, cases)
