"""Attribute files: schemas, reading, joining, and the published facts of the real ones."""

from collections import Counter, defaultdict

import pytest

import reidlib
from reidlib.data.attributes import DUKE, MARS, join_attributes, read_attributes, write_attributes

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")

HEADER = (
    "person_id,camera_id,tracklets_id,motion,pose,occlusion,cut-out,multi-person,background-dominant,"
    "target-change,target-miss,wrong-target,top color,bottom color,age,top length,bottom length,"
    "shoulder bag,backpack,hat,hand bag,hair,gender,bottom type"
)
ROW = "1,2,58,4,5,0,1,0,1,0,1,0,8,9,3,1,1,0,1,0,1,0,1,0"


def write(tmp_path, *lines):
    path = tmp_path / "mars_attributes.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_schemas_say_which_attributes_stay_with_a_person():
    assert [a.num_codes for a in MARS.id_irrelevant] == [5, 6]
    assert [a.name for a in MARS.id_irrelevant] == ["motion", "pose"]
    assert [len(s.quality) for s in (MARS, DUKE)] == [7, 7]
    assert [len(s.id_relevant) for s in (MARS, DUKE)] == [12, 10]
    assert sum(a.num_codes for a in MARS.id_relevant) == 9 + 10 + 4 + 9 * 2
    meanings = {a.name: a.meanings for a in MARS.attributes if a.meanings}
    assert meanings["top color"][8] == meanings["bottom color"][9] == "complex"
    assert meanings["bottom color"][4] == "dark gray"
    assert meanings["age"] == ("young", "teenager", "adult", "old")
    assert len(meanings) == 3
    assert all(len(a.meanings) == a.num_codes for a in MARS.attributes if a.meanings)


def test_a_file_is_read_by_its_header(tmp_path):
    table = read_attributes(write(tmp_path, HEADER, ROW), MARS)
    [(key, codes)] = table.items()
    assert key == (1, 2, 58)
    assert len(codes) == 21
    assert (codes["motion"], codes["pose"], codes["bottom color"], codes["age"]) == (4, 5, 9, 3)
    assert (codes["wrong-target"], codes["hand bag"], codes["bottom type"]) == (0, 1, 0)


def test_known_misspellings_and_further_columns_are_accepted(tmp_path):
    header = HEADER.replace("multi-person", "muti-person").replace("tracklets_id", "tracklet_id") + ",note"
    table = read_attributes(write(tmp_path, header, ROW + ",free text"), MARS)
    assert table[1, 2, 58]["multi-person"] == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "a header and a row for each tracklet"),
        ([HEADER], "a header and a row for each tracklet"),
        ([HEADER.replace(",hat", ""), ROW], "missing: hat"),
        ([HEADER.replace("person_id", "id"), ROW], "missing: person_id"),
        (
            [HEADER, ROW, ROW.replace("58", "x")],
            "line 3, column 'tracklets_id': expected an integer, found 'x'",
        ),
        ([HEADER, ROW[:-4]], "line 2, column 'gender': expected an integer, found ''"),
        ([HEADER, "1,2,58,5" + ROW[8:]], "line 2, column 'motion': expected 0 to 4, found 5"),
        ([HEADER, "1,2,58,-1" + ROW[8:]], "line 2, column 'motion': expected 0 to 4, found -1"),
        ([HEADER, ROW, ROW], r"line 3: tracklet \(1, 2, 58\) .* a second time"),
    ],
)
def test_bad_files_are_refused_by_name_line_and_column(tmp_path, lines, message):
    with pytest.raises(ValueError, match=f"mars_attributes.csv.*{message}"):
        read_attributes(write(tmp_path, *lines), MARS)


def test_a_missing_file_says_where_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv: expected .* MARS; get it from http"):
        read_attributes(tmp_path / "none.csv", MARS)


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "mars_attributes.csv"
    path.write_bytes(bytes(range(128, 256)) * 4 + b"\n\xff\n")
    with pytest.raises(ValueError, match=r"mars_attributes\.csv: expected all columns"):
        read_attributes(path, MARS)


def test_attributes_are_joined_by_person_camera_and_number(tmp_path, make_tracklet):
    path = write(tmp_path, HEADER, ROW, ROW.replace("58,4", "59,3"))
    tracklets = [
        make_tracklet(1, 2, tracklet_id=59),
        make_tracklet(0, 2, tracklet_id=59),
        make_tracklet(-1, 2),
    ]
    joined = join_attributes(tracklets, path, MARS)
    assert joined[0].attributes["motion"] == 3
    assert joined[0].source is tracklets[0].source
    assert joined[1].attributes == joined[2].attributes == {}


@pytest.mark.parametrize("key", [(1, 2, 57), (1, 1, 58), (2, 2, 58)])
def test_an_identity_without_annotation_is_refused(tmp_path, make_tracklet, key):
    path = write(tmp_path, HEADER, ROW)
    person, camera, number = key
    message = f"csv: expected a row for person {person}, camera {camera}, tracklet {number};"
    with pytest.raises(ValueError, match=message):
        join_attributes([make_tracklet(person, camera, tracklet_id=number)], path, MARS)


def test_written_attributes_are_read_back(tmp_path, small_benchmark):
    path = tmp_path / "mars_attributes.csv"
    write_attributes(path, small_benchmark.gallery, MARS)
    assert path.read_text().splitlines()[0] == HEADER
    table = read_attributes(path, MARS)
    people = [t for t in small_benchmark.gallery if t.person_id > 0]
    assert len(table) == len(people)
    assert all(table[t.person_id, t.camera_id, t.tracklet_id] == t.attributes for t in people)


def test_incomplete_attributes_are_not_written(tmp_path, make_tracklet):
    with pytest.raises(ValueError, match="tracklet 4 of person 2 lacks attributes of MARS: motion, pose"):
        write_attributes(tmp_path / "a.csv", [make_tracklet(2, 1, tracklet_id=4, attributes={"hat": 1})], MARS)


@real
@pytest.mark.parametrize(
    ("name", "schema", "rows", "people"), [("mars", MARS, 16360, 1259), ("duke", DUKE, 4832, 1812)]
)
def test_the_real_files_hold_what_was_published(name, schema, rows, people):
    path = SHARED / "data" / "attributes" / f"{name}_attributes.csv"
    table = read_attributes(path, schema)
    assert len(table) == rows
    assert len({person for person, _, _ in table}) == people
    header = path.read_text().splitlines()[0].replace("muti-person", "multi-person").split(",")
    assert header[3:12] == [a.name for a in schema.id_irrelevant + schema.quality]
    assert header[12:] == [a.name for a in schema.id_relevant]
    motion = Counter(codes["motion"] for codes in table.values())
    assert round(motion[0] / rows, 2) == {"mars": 0.90, "duke": 0.98}[name]


@real
def test_208_identities_of_mars_have_labels_that_disagree():
    table = read_attributes(SHARED / "data" / "attributes" / "mars_attributes.csv", MARS)
    labels = defaultdict(set)
    for (person, _, _), codes in table.items():
        labels[person].add(tuple(codes[a.name] for a in MARS.id_relevant))
    assert sum(len(seen) > 1 for seen in labels.values()) == 208
