import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.measures.alignment import longest_read, measure_notes, most_words
from graders.measures.dates import Said, said
from graders.measures.mentions import Mention, Stretch
from graders.measures.tokens import Words

planting = runpy.run_path(str(Path(__file__).parent / "benchmarks" / "alignment.py"))


def marked(text: str, note: int = 0) -> tuple[str, list[tuple[int, int, int, str, str]]]:
    """The text and spans of "Seen {{NAME|Mr. Quintero}} on {{DATE|3/14|--03-14}}."."""
    plain, spans = "", []
    for piece in re.split(r"(\{\{.*?\}\})", text):
        if piece.startswith("{{"):
            kind, mention, denotes = (*piece[2:-2].split("|"), "")[:3]
            spans.append((note, len(plain), len(plain) + len(mention), kind, denotes))
            piece = mention
        plain += piece
    return plain, spans


def measure(text: str, output: str | None, keep: str = "", year_tells: bool = False):
    """keep: a look-alike, its first occurrence. The ZIP area 036 is too small to be named."""
    plain, spans = marked(text)
    frame = pd.DataFrame(spans, columns=["note", "start", "end", "kind", "denotes"]).assign(year_tells=year_tells)
    at = plain.index(keep)
    keeps = pd.DataFrame({"note": [0], "start": [at], "end": [at + len(keep)]})
    return measure_notes([plain], [output], frame, keeps, frozenset({"036"}))


def caught(text: str, output: str) -> list[bool]:
    return measure(text, output).caught.tolist()


@pytest.mark.parametrize("style", planting["STYLES"])
def test_planted_leaks_are_found_and_masks_raise_no_alarm(style):
    """At least 99.5 % of the planted leaks are found, at most 0.1 % of the caught mentions are called leaks."""
    planted = planting["plant"](style, notes=120, seed=4)
    result = measure_notes(planted.originals, planted.outputs, planted.spans)
    leaked = planted.spans["leaked"].to_numpy()
    assert leaked.sum() > 500
    assert (~result.caught[leaked]).mean() >= 0.995
    assert (~result.caught[~leaked]).mean() <= 0.001
    assert 0.97 < result.kept_share < 0.99, "2 % of the other words were masked"


@pytest.fixture(scope="module")
def kit_notes():
    """Notes of the kit's own generator, their spans and their look-alikes."""
    from synthetic_data.dataset import make
    from synthetic_data.streams import Seed

    made = make(Seed.from_int(11), 60)
    return made.notes["text"].tolist(), placed(made.spans, made), placed(made.keeps, made)


def placed(rows: pd.DataFrame, made) -> pd.DataFrame:
    """With the position of the note."""
    position = {note: i for i, note in enumerate(made.notes["note_id"])}
    return rows.assign(note=rows["note_id"].map(position))


def replaced(texts: list[str], spans: pd.DataFrame, mask) -> list[str]:
    """Each graded mention replaced by mask(kind, mention)."""
    out = list(texts)
    for row in spans.sort_values("start", ascending=False).itertuples():
        if row.kind not in {"PROVIDER", "FACILITY", "YEAR"}:
            text = out[row.note]
            out[row.note] = text[: row.start] + mask(row.kind, text[row.start : row.end]) + text[row.end :]
    return out


@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_the_kits_own_notes_left_as_they_are_catch_nothing(kit_notes, change):
    texts, spans, keeps = kit_notes
    result = measure_notes(texts, [change(t) for t in texts], spans, keeps)
    left = spans[result.caught].groupby(["kind", "form"]).size().to_dict()
    assert (result.recall, left) == (0.0, {})
    assert result.kept_share == 1.0 if change is str else result.kept_share < 0.95
    assert result.keeps_kept.all() == (change is str)


@pytest.mark.parametrize(
    "mask",
    [lambda kind, _: f"[{kind}]", lambda *_: "[REDACTED]", lambda _, m: re.sub(r"\w", "X", m), lambda *_: ""],
    ids=["tags", "redacted", "X's", "deleted"],
)
def test_the_kits_own_notes_with_every_mention_masked_catch_and_keep_all(kit_notes, mask):
    texts, spans, keeps = kit_notes
    result = measure_notes(texts, replaced(texts, spans, mask), spans, keeps)
    assert spans[result.graded & ~result.caught].groupby(["kind", "form"]).size().to_dict() == {}
    assert result.kept_share > 0.999
    assert result.keeps_kept.mean() > 0.999


QUINTERO = "Seen {{NAME|Mr. Quintero}} in clinic today."


@pytest.mark.parametrize(
    "left",
    [
        "Mr. Quintero",
        "Mr. Q[NAME]",
        "Mr. Quinter*",
        "Mr. Q*******",
        "Mr. Qxxxxxxx",
        "Mr. ****tero",
        "[NAME] Quintero",
        "QUINTERO, Mr.",
        "Mr. Quinteros",
        "Mr. Q-u-i-n-t-e-r-o",
        "Mr. oretniuQ",
        "Mr. Quint&#101;ro",
        "Mr. %51uintero",
        "Mr. Quin\u200btero",
        "Mr. Quinter\u043e",  # a Cyrillic o
        "UXVpbnRlcm8=",
        "d2a1cab1d4ba2a24c0ba4d3e0bbb49d5 5175696e7465726f",  # hexadecimal of the bytes
        "[Quintero]",
        "Q\u034fu\u034fi\u034fn\u034ft\u034fe\u034fr\u034fo",
        "Q\u115fu\u115fi\u115fn\u115ft\u115fe\u115fr\u115fo",
        "Q\u0301u\u0316i\u0301n\u0316t\u0301e\u0316r\u0301o",
        "Q u i n t e r o",
        "Q_x_u_x_i_x_n_x_t_x_e_x_r_x_o",
        "Q\u1d1c\u026a\u0274\u1d1b\u1d07\u0280\u1d0f",  # small capitals
        "Nb8ddf79f4b1d32",  # SHA-256 of "Quintero", cut, behind a letter
    ],
)
def test_a_name_left_in_part_or_in_disguise_is_a_leak(left):
    assert caught(QUINTERO, f"Seen {left} in clinic today.") == [False]


@pytest.mark.parametrize(
    "masked", ["[NAME]", "***", "Mr. ********", "", "Mr. Lopez", "Mr. X", "[Q]", "Mr. Quinn", "XXXX"]
)
def test_a_masked_or_replaced_name_is_caught(masked):
    assert caught(QUINTERO, f"Seen {masked} in clinic today.") == [True]


@pytest.mark.parametrize(
    ("text", "output", "expected"),
    [
        ("Pt {{NAME|Rosa Parkinson}} seen", "Pt Parkinson, Rosa seen", [False]),
        ("Pt {{NAME|Rosa Parkinson}} seen", "Pt RosaParkinson seen", [False]),
        ("spelled {{NAME|M-A-R-I-S-O-L}}.", "spelled MARISOL.", [False]),
        ("spelled {{NAME|M-A-R-I-S-O-L}}.", "spelled M A R I S O L.", [False]),
        ("spelled {{NAME|M-A-R-I-S-O-L}}.", "spelled [NAME].", [True]),
        ("Pt {{NAME|A}}. {{NAME|Quintero-Vale}} left", "Pt A. [NAME] left", [False, True]),
        ("q={{NAME|Rosa%20Parkinson}}&d=lab", "q=Rosa+P&d=lab", [False]),
        ("<td>{{NAME|Rosa&nbsp;Parkinson}}</td>", "<td>[NAME]</td>", [True]),
        ("<td>{{NAME|Rosa&nbsp;Parkinson}}</td>", "<td>Rosa Parkinson</td>", [False]),
        ("Pt {{NAME|R.P.}} seen", "Pt R.P. seen", [False]),
        ("Pt {{NAME|R.P.}} seen", "Pt RP seen", [False]),
        ("Pt {{NAME|R.P.}} seen", "Pt M.L. seen", [True]),
        ("the {{NAME|Hendersons}} were updated", "the Henderson family were updated", [False]),
        ("Pt {{NAME|Jos\u00e9}} seen", "Pt Jose seen", [False]),
    ],
)
def test_names_in_other_spellings(text, output, expected):
    assert caught(text, output) == expected


@pytest.mark.parametrize(
    ("text", "output", "expected"),
    [
        # One of two equal words is the name, and only its place tells which one was left.
        ("{{NAME|Crohn}} family met; Crohn disease", "[NAME] family met; Crohn disease", [True]),
        ("{{NAME|Crohn}} family met; Crohn disease", "Crohn family met; [NAME] disease", [False]),
        ("age {{AGE|94}}, 94% on RA", "age [AGE], 94% on RA", [True]),
        ("age {{AGE|94}}, 94% on RA", "age, 94% on RA", [True]),
        ("age {{AGE|94}}, 94% on RA", "age 94, [X]% on RA", [False]),
        ("Pt {{NAME|Will May}} will in may", "Pt [NAME] will in may", [True]),
        ("Name | {{NAME|Li Yu}} | MRN | {{MRN|00485721}}", "Name | [NAME] | MRN | [MRN]", [True, True]),
    ],
)
def test_equal_words_side_by_side_are_told_apart(text, output, expected):
    assert caught(text, output) == expected


@pytest.mark.parametrize(
    ("mention", "denotes", "leaks", "fine"),
    [
        (
            "03/14/2024",
            "2024-03-14",
            ["03/14/2024", "2024-03-14", "14MAR24", "20240314", "March 14", "the fourteenth of March", "March 2024"],
            ["2024", "03/21/2024", "2024-04-14", "**/**/2024", "[DATE]", "", "March 15, 2024", "03/14/2023", "Tuesday"],
        ),
        (
            "March 14",
            "--03-14",
            ["3/14", "14 Mar", "early March", "2024-03-14"],
            ["March 21", "4/14", "2024", "[DATE]"],
        ),
        ("March 2024", "2024-03", ["March", "03/2024", "03/09/2024"], ["2024", "June 2024", "03/2023"]),
        ("early March", "--03", ["early March", "03/2024"], ["early May", "spring"]),
        ("the 27th", "---27", ["the 27th", "the twenty-seventh"], ["the 30th", "[DATE]", "a later day"]),
        ("26JAN27", "1927-01-26", ["26JAN27", "1927-01-26", "1/26/27"], ["1927", "02FEB27"]),
        ("Tues", "weekday", ["Tuesday", "tues"], ["Friday", "[DATE]", ""]),
        (
            "14/03/2024",
            "2024-03-14",
            ["14/03/2024", "14.03.24", "14\u221503\u22152024", "2024\u201003\u201014", "14/03/202\U000104a4"],
            ["19/03/2024"],
        ),
        ("2024-03-14T08:15:00-07:00", "2024-03-14", ["2024-03-14T08:15:00-07:00"], ["2024-03-20T08:15:00-07:00"]),
    ],
)
def test_dates_are_judged_by_the_day_they_mean(mention, denotes, leaks, fine):
    text = f"Admitted {{{{DATE|{mention}|{denotes}}}}} with chest pain."
    assert [w for w in leaks if caught(text, f"Admitted {w} with chest pain.") != [False]] == []
    assert [w for w in fine if caught(text, f"Admitted {w} with chest pain.") != [True]] == []


def test_of_two_shifted_dates_side_by_side_the_first_may_become_the_second():
    text = "Held {{DATE|03/01/2024|2024-03-01}}-{{DATE|03/11/2024|2024-03-11}} for nausea"
    assert caught(text, "Held 03/11/2024-03/21/2024 for nausea") == [True, True]
    assert caught(text, "Held 03/11/2024-03/11/2024 for nausea") == [True, False]


@pytest.mark.parametrize(
    ("kind", "mention", "leaks", "fine"),
    [
        (
            "PHONE",
            "559-555-0143",
            ["5595550143", "559.555.0143", "XXX-XXX-0143", "559-555-XXXX", "000-000-0143", "555-0143", "+15595550143"],
            ["[PHONE]", "559-555-0188", "(559) ***-****", "212-555-0107", ""],
        ),
        ("PHONE", "559.555.0143 x22", ["5595550143"], ["[PHONE] x22"]),
        (
            "SSN",
            "900-12-3457",
            ["900 12 3457", "***-**-3457", "9 : 0 : 0 : 1 : 2 : 3 : 4 : 5 : 7"],
            ["***-**-****", "912-33-7001", "[SSN]"],
        ),
        ("MRN", "00485721", ["485721", "485721.0", "004857**"], ["00913377", "[MRN]"]),
        ("MRN", "A-77-4821-Q", ["A774821Q", "A-XX-4821-X", "77-4821"], ["B-12-3456-Z", "[MRN]"]),
        ("VEHICLE", "1M8NZGXXZKD303165", ["1M8NZGXXZKD303165", "1m8nzgxxzkd-303165"], ["1M8XXXXXXXXXXXXXX", "[VIN]"]),
        ("HEALTH_PLAN", "1EG4-TE5-MK73", ["1EG4TE5MK73", "1eg4-***"], ["2AB1-CD2-EF34"]),
        ("DEVICE", "(01)00844588003288(21)A4417", ["(21)A4417"], ["(01)00844588003288(21)[SERIAL]"]),
        ("IP", "2001:db8::8a2e:370:7334", ["2001:db8::8a2e:370:7334"], ["[IP]"]),
        ("EMAIL", "rosa.p@example.org", ["rosa.p@[DOMAIN]", "rosa dot p at example dot org"], ["[EMAIL]@example.org"]),
        ("URL", "portal.example.com/rp1931", ["/rp1931"], ["portal.example.com/[ID]"]),
        ("PHOTO", "parkinson_rosa_1931_face.jpg", ["parkinson_face.jpg"], ["[PHOTO]_1931_face.jpg", "[PHOTO]"]),
        ("LOCATION", "93722", ["93722", "9372*"], ["937", "937**", "937XX", "[ZIP]"]),
        ("LOCATION", "03601", ["036**", "036"], ["000", "000**"]),
        ("LOCATION", "Tulare County", ["Tulare", "TULARE CO"], ["[PLACE] County", "a county"]),
        ("LOCATION", "above the bakery on Alder", ["on Alder", "Alder"], ["above the bakery on [STREET]", "[HOME]"]),
        ("LOCATION", "the blue trailer behind the grain elevator", ["behind the elevator"], ["the blue trailer"]),
        ("OTHER", "QUIR57", ["QUIR57", "quir57", "QUIR[NUM]"], ["[ALIAS]", "OKON62"]),
        ("OTHER", "RP 14/3", ["RP [DATE]", "[NAME] 14/3"], ["[ALIAS]", "[NAME] [DATE]"]),
        ("MRN", "21-57-48-00", ["21-57-48-00", "[ID]-48-00"], ["[ID]", "96-10-33-82"]),
        ("PHONE", "0143", ["0143"], ["[PHONE]", "0187"]),
        ("PHONE", "559-555-0143/0178", ["[PHONE]/0178", "559-555-0143"], ["[PHONE]", "[PHONE]/[PHONE]"]),
        ("LOCATION", "5th & Alder", ["5th & [STREET]", "Alder"], ["12th & Main"]),
        ("AGE", "94-year-old", ["94-year-old", "94 yo", "ninety-four"], ["90+", "90+ year-old", "[AGE]", "over 89"]),
        ("AGE", "90", ["90", "ninety"], ["90+", ">89", "over 90", "90 or older", "90s"]),
        ("OTHER", "the mayor of Visalia", ["the mayor of [PLACE]", "Visalia"], ["the [OTHER] of a town"]),
    ],
)
def test_each_kind_of_identifier(kind, mention, leaks, fine):
    text = f"noted {{{{{kind}|{mention}}}}} in chart."
    assert [w for w in leaks if caught(text, f"noted {w} in chart.") != [False]] == []
    assert [w for w in fine if caught(text, f"noted {w} in chart.") != [True]] == []


def test_a_mention_moved_elsewhere_is_still_a_leak():
    text = "Pt {{NAME|Rosa Parkinson}} has AF. Call {{PHONE|559-555-0143}}. Lungs clear, no edema."
    assert caught(text, "Pt [NAME] has AF. Call [PHONE]. Lungs clear, Rosa Parkinson no edema.") == [False, True]
    assert caught(text, "Pt [NAME] has AF. Call [PHONE]. Lungs clear, 5595550143 no edema.") == [True, False]


def test_kinds_graded_neither_way_count_nowhere():
    text = "Dr. {{PROVIDER|Foley}} of {{FACILITY|Oak Clinic}} in {{YEAR|2019}} saw {{NAME|Rosa}}."
    for output in ("Dr. Foley of Oak Clinic in 2019 saw X.", "Dr. X of X in X saw X."):
        result = measure(text, output)
        assert result.graded.tolist() == [False, False, False, True]
        assert (result.recall, result.words.tolist(), result.kept.tolist()) == (1.0, [4], [4])


def test_kept_words_compare_letters_and_case_but_not_spacing():
    text = "Lungs clear,  no edema; {{NAME|Rosa}} denies HbA1c test."
    assert measure(text, "Lungs clear no edema [NAME]\ndenies   HbA1c test").kept_share == 1.0
    assert measure(text, "lungs clear no edema [NAME] denies hba1c test").kept.tolist() == [5]
    assert measure(text, "[X] [X] no edema [X] denies HbA1c test").kept.tolist() == [5]
    assert measure(text, "").kept.tolist() == [0]


def test_a_missing_or_far_too_long_note_catches_and_keeps_nothing():
    text = "Lungs clear. {{NAME|Rosa}} left."
    most = longest_read(marked(text)[0])
    kept = "Lungs clear. X left."
    distinct = [f"{n:08x}" for n in range(2**31, 2**31 + 201)]
    for output in (None, kept + "-" * most, kept + " y" * most_words(4), kept + "\ufdfa" * (most // 17)):
        result = measure(text, output)
        assert (result.read[0], result.recall, result.kept_share) == (False, 0.0, 0.0)
    for output in (kept + "-" * (most - len(kept)), kept + " y" * (most_words(4) - 4)):
        result = measure(text, output)
        assert (result.read[0], result.recall, result.kept_share) == (True, 1.0, 1.0)
    long = text + " Edema gone now." * 100
    for codes, read in ((200, True), (201, False)):
        output = marked(long)[0].replace("Rosa", "X") + " ".join(distinct[:codes])
        assert measure(long, output).read[0] == read


def test_results_follow_the_order_of_the_spans():
    texts = [
        marked(f"Seen {{{{NAME|Rosa}}}} and {{{{NAME|{name}}}}} today.", i) for i, name in enumerate(["Amara", "Li"])
    ]
    spans = pd.DataFrame([s for _, ss in texts for s in ss], columns=["note", "start", "end", "kind", "denotes"])
    outputs = ["Seen X and Amara today.", "Seen Rosa and X today."]
    shuffled = spans.sample(frac=1, random_state=3)
    plain = [t for t, _ in texts]
    expected = pd.Series(measure_notes(plain, outputs, spans).caught, spans.index)
    assert expected.tolist() == [True, False, False, True]
    assert measure_notes(plain, outputs, shuffled).caught.tolist() == expected[shuffled.index].tolist()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_any_output_is_measured_without_an_error(output):
    result = measure(QUINTERO + " {{DATE|3/14|--03-14}} {{MRN|00485721}} {{AGE|94}} <a> 5%", output)
    assert 0 <= result.kept[0] <= result.words[0]


@pytest.mark.parametrize(
    "unit",
    [
        *("a ", "Quintero ", "1/1/", "03 ", "[", "<", "5", "Q[", "mar ", "- ", "&amp;", "\ufdfa ", "1234567 ", "94 "),
        *("0000000a ", "aGVsbG8x ", "jan 1 ", "a.b ", "%41b", "a\u0316", "\u0316\u0301", "]uintero", "quinter* "),
        " ".join(f"{n:08x}" for n in range(2**31, 2**31 + 190)) + " ",
    ],
    ids=lambda unit: ascii(unit[:9]),
)
def test_hostile_text_up_to_the_limits_is_measured(unit):
    note = "Seen {{NAME|Mr. Quintero}} {{DATE|03/14/2024|2024-03-14}} a {{MRN|00485721}} 1/1 b; lungs clear, no edema."
    text = " ".join([note] * 9)
    plain = marked(text)[0]
    room, words = longest_read(plain), most_words(len(re.findall(r"[^\W_]+", plain)))
    output = (unit * room)[:room]
    # As many words as are read, no more.
    cut = next((m.start() for n, m in enumerate(re.finditer(r"[^\W_]+", output)) if n == words), room)
    found = measure(text, output[:cut])
    assert len(found.caught) == 27
    assert found.kept.sum() <= found.words.sum()


def random_mask(kind: str, mention: str, rng: np.random.Generator) -> str:
    """A tag, stars, a blank, a surrogate, or something that leaks."""
    masks = (
        f"[{kind}]", "***", re.sub(r"\w", "*", mention), "____", "", "X" * len(mention), "Helen Albright", "2031-05-06",
        mention, mention.upper(), mention[:-1] + "*", f"[{kind}] {mention.split()[-1]}", "-".join(mention),
    )  # fmt: skip
    return masks[int(rng.integers(len(masks)))]


@pytest.mark.parametrize("seed", range(4))
def test_a_note_read_whole_and_one_read_piece_by_piece_are_judged_alike(kit_notes, seed):
    """An entity at its end makes a note one that has to be read piece by piece."""
    texts, spans, keeps = kit_notes
    rng = np.random.default_rng(seed)
    outputs = replaced(texts, spans, lambda kind, mention: random_mask(kind, mention, rng))
    outputs = [re.sub(r"\w+", lambda w: "[X]" if rng.random() < 0.05 else w.group(), text) for text in outputs]
    whole = measure_notes(texts, outputs, spans, keeps)
    pieces = measure_notes([f"{text} &amp;" for text in texts], outputs, spans, keeps)
    assert 0.3 < whole.recall < 0.9
    assert 0.5 < whole.keeps_kept.mean() < 0.98
    for one, other in zip(vars(whole).values(), vars(pieces).values(), strict=True):
        assert one.tolist() == other.tolist()


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="+/-_=*#[](){}<>|.,:;?!'\" \n\t~^@•█", max_size=60))
def test_nothing_can_be_read_where_no_letter_or_digit_is(text):
    """Such stretches are passed over."""
    stretch = Stretch.of(Words.of(text), [], text)
    for kind, mention, denotes in (
        ("NAME", "Rosa Parkinson", ""), ("NAME", "R.P.", ""), ("DATE", "3/14/1931", "1931-03-14"), ("AGE", "94", ""),
        ("DATE", "Easter", "--04"), ("IP", "2001:db8::1", ""), ("PHONE", "559-555-0143", ""), ("OTHER", "badge 12", ""),
    ):  # fmt: skip
        assert not Mention(kind, mention, Words.of(mention).keys, denotes, True).survives(stretch)


@pytest.mark.parametrize(
    ("keep", "output", "kept"),
    [
        ("Parkinson disease", "Pt [NAME] has Parkinson disease, T2 FLAIR, BP 120/80, K 4.2.", True),
        ("Parkinson disease", "Pt Parkinson has [NAME] disease, T2 FLAIR, BP 120/80, K 4.2.", False),
        ("Parkinson disease", "Pt [NAME] has parkinson disease, T2 FLAIR, BP 120/80, K 4.2.", False),
        ("Parkinson disease", "Pt [NAME] has T2 FLAIR, BP 120/80, K 4.2. Parkinson disease", False),
        ("T2 FLAIR", "Pt [NAME] has Parkinson disease,  T2\nFLAIR, BP 120/80, K 4.2.", True),
        ("120/80", "Pt [NAME] has Parkinson disease, T2 FLAIR, BP 120/[X], K 4.2.", False),
        ("120/80", "Pt [NAME] has Parkinson disease, T2 FLAIR, BP [DATE], K 4.2.", False),
        ("4.2", "Pt [NAME] has Parkinson disease, T2 FLAIR, BP [DATE], K 4.2.", True),
        ("4.2", None, False),
    ],
)
def test_a_look_alike_is_kept_when_all_its_words_are(keep, output, kept):
    text = "Pt {{NAME|Parkinson}} has Parkinson disease, T2 FLAIR, BP 120/80, K 4.2."
    assert measure(text, output, keep).keeps_kept.tolist() == [kept]
    # Entities before it move the words of the text, not what is meant.
    lead = "O&#39;Hara &amp; {{PROVIDER|Bj&ouml;rn}} 94&#37; "
    result = measure(lead + text, output and f"O'Hara & X 94% {output}", keep)
    assert result.keeps_kept.tolist() == [kept]


def test_a_year_may_stay_unless_it_tells_an_age_of_90():
    text = "Rosa, born {{DATE|03/14/1931|1931-03-14}}, seen {{DATE|10/23/2024|2024-10-23}} for cough."
    telling = [
        "1931",
        "in 1931",
        "[DATE], 1931",
        "'31",
        "**/**/31",
        "04/02/1931",
        "19310402",
        "4/2/31",
        "April 2, 1931",
    ]
    fine = ["[DATE]", "", "**/**/****", "90+", "1932", "04/02/2100", "XX-XX-XX", "2031"]
    for year_tells in (True, False):
        readable = [
            left
            for left in telling + fine
            if not measure(text, f"Rosa, born {left}, seen [DATE] for cough.", "", year_tells).caught[0]
        ]
        assert readable == (telling if year_tells else [])


def test_which_zip_areas_may_stay_is_the_callers_to_say():
    plain, spans = marked("ZIP {{LOCATION|93722}} and {{LOCATION|03601}}.")
    frame = pd.DataFrame(spans, columns=["note", "start", "end", "kind", "denotes"])
    for small, expected in ((frozenset({"937"}), [False, True]), (frozenset(), [True, True])):
        assert measure_notes([plain], ["ZIP 937 and 036."], frame, small_zip3=small).caught.tolist() == expected


def test_no_notes_and_no_spans_are_fine():
    empty = pd.DataFrame({c: pd.Series(dtype=t) for c, t in zip(["note", "start", "end"], ["int64"] * 3, strict=True)})
    empty = empty.assign(kind=pd.Series(dtype="str"), denotes=pd.Series(dtype="str"))
    assert measure_notes([], [], empty).recall == 1.0
    result = measure_notes(["a b", ""], ["a b", ""], empty)
    assert (result.kept.tolist(), result.words.tolist()) == ([2, 0], [2, 0])
    with pytest.raises(ValueError, match="1 notes, but 0 outputs"):
        measure_notes(["a"], [], empty)


def test_every_day_is_read_back_in_every_format():
    rng = np.random.default_rng(1)
    for _ in range(200):
        made = planting["make"]("date", rng)
        year = {"short": 0, "army": made.day.year % 100}.get(made.form, made.day.year)
        truth = Said(year, made.day.month, made.day.day)
        assert said(f"seen {made.text}, BP 120/80") == [truth]
