"""Small .pb files for tests, and how they come into a folder."""

from collections.abc import Sequence
from pathlib import Path

SMALL = """META
key;value
description;Municipal PB in Wieliczka
country;Poland
unit;Wieliczka
instance;2023
num_projects;3
num_votes;4
budget;2500
vote_type;approval
rule;greedy
date_begin;16.09.2023
date_end;04.10.2023
max_length;2
PROJECTS
project_id;cost;votes;name;selected;latitude;longitude
1;600;2;Ławki;1;52.230525518815675;-0.5
2;800;1;"Park; etap ""II""\";0;;
7/A;1200.50;1;;2;;
VOTES
voter_id;vote;age;sex
a;1,2;34;F
b;1;;M
c;7/A;51;
d;;23;F
"""


def pb(
    vote_type: str, votes: Sequence[str], columns: str = "voter_id;vote;points", **meta: str
) -> str:
    """A file with the projects p, q and r and these rows of votes."""
    keys = {
        "country": "Poland",
        "unit": "Town",
        "instance": "1",
        "num_projects": "3",
        "num_votes": str(len(votes)),
        "budget": "10",
        "vote_type": vote_type,
    } | meta
    lines = ["META", "key;value", *(f"{key};{value}" for key, value in keys.items())]
    lines += ["PROJECTS", "project_id;cost", "p;1", "q;2", "r;3", "VOTES", columns, *votes]
    return "\n".join(lines)


def written(folder: Path, content: str | bytes) -> Path:
    """The content as a file of that folder."""
    path = folder / "Poland_Wieliczka_2023.pb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
