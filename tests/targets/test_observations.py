"""Reading observations: what each kind of file is taken for, and that no cell becomes another number in silence."""


import pytest

from dlab import params
from dlab.params import BadInput
from dlab.targets.observations import read_csv

GOOD = {
    "a header in any order": (b"\xef\xbb\xbfY, X2 ,x1\r\n1,2,1\r\n0,-4,3\r\n\r\n", ("X2", "x1"), "Y", [[2.0, 1.0], [-4.0, 3.0]], [1, -1]),
    "no header, the label last": (b"1,2,1\n3,-4,0\n", ("x1", "x2"), "y", [[1.0, 2.0], [3.0, -4.0]], [1, -1]),
    "semicolons": (b"x1;x2;y\n0.5;1.2;1\n1.5;0.7;0\n", ("x1", "x2"), "y", [[0.5, 1.2], [1.5, 0.7]], [1, -1]),
    "semicolons and decimal commas": (b"a;b;y\n0,5;1,2;yes\n1,5;2;no\n", ("a", "b"), "y", [[0.5, 1.2], [1.5, 2.0]], [1, -1]),
    "decimal commas without a header": (b"0,5;1,2;1\n1,5;0,7;0\n", ("x1", "x2"), "y", [[0.5, 1.2], [1.5, 0.7]], [1, -1]),
    "tabs": (b"a\tb\ty\n1\t2\t-1\n3\t4\t1\n", ("a", "b"), "y", [[1.0, 2.0], [3.0, 4.0]], [-1, 1]),
    "vertical bars": (b"a|b|y\n1|2|-1\n3|4|1\n", ("a", "b"), "y", [[1.0, 2.0], [3.0, 4.0]], [-1, 1]),
    "Excel's first line": (b"sep=;\r\na;b;y\r\n0,5;1;1\r\n1,5;2;0\r\n", ("a", "b"), "y", [[0.5, 1.0], [1.5, 2.0]], [1, -1]),
    "whole numbers with their separator": (b"SEP=,\n1,2,1\n3,4,0\n", ("x1", "x2"), "y", [[1.0, 2.0], [3.0, 4.0]], [1, -1]),
    "CR line ends": (b"x1,x2,y\r0.5,1.2,1\r1.5,0.7,0\r", ("x1", "x2"), "y", [[0.5, 1.2], [1.5, 0.7]], [1, -1]),
    "a label named so, first": (b"outcome,age,smoker\n1,30,0\n0,40,1\n", ("age", "smoker"), "outcome", [[30.0, 0.0], [40.0, 1.0]], [1, -1]),
    "the only column with two values": (b"ill,a,b\n1,2,3\n0,4,5\n1,6,7\n", ("a", "b"), "ill", [[2, 3], [4, 5], [6, 7]], [1, -1, 1]),
    "an index without a name": (b",a,b,y\n0,1.2,0.4,1\n1,0.3,1.1,0\n", ("a", "b"), "y", [[1.2, 0.4], [0.3, 1.1]], [1, -1]),
    "a number in scientific form first": (b"1e3,2,1\n2,3,0\n", ("x1", "x2"), "y", [[1000.0, 2.0], [2.0, 3.0]], [1, -1]),
    "words for labels": (b"a,b,y\n1,2,benign\n3,4,malignant\n", ("a", "b"), "y", [[1.0, 2.0], [3.0, 4.0]], [-1, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_table_is_read_as_it_stands(name):
    data, names, label, x, y = GOOD[name]
    for planar in (True, False):
        table = read_csv(data, planar)
        assert (table.names, table.label, table.x, table.y) == (names, label, x, y)
    assert all(part in table.summary for part in (*names, label, str(len(x))))


def test_label_and_separator_can_be_corrected():
    data = b"outcome,age,smoker\n1,30,0\n0,40,1\n1,50,0\n"
    table = read_csv(data, label="smoker")
    assert (table.names, table.y) == (("outcome", "age"), [-1, 1, -1])
    assert read_csv(b"1;2;1\n3;4;0\n", separator=";").separator == ";"
    with pytest.raises(BadInput, match="sex"):
        read_csv(data, label="sex")


def test_whole_numbers_that_may_be_decimal_commas_are_read_with_a_header_or_a_separator():
    data, x = b"3,5,1,2,1\n1,5,0,7,0\n", [[3, 5, 1, 2], [1, 5, 0, 7]]
    assert read_csv(data, separator=",").x == read_csv(b"a,b,c,d,y\n" + data).x == x
    assert read_csv(b"3,5,1,-2,1\n1,5,0,7,0\n").x == [[3, 5, 1, -2], [1, 5, 0, 7]]  # no fraction has a sign


def test_whole_numbers_that_are_no_digits_after_a_comma_need_no_header():
    """Digits after a comma end in no zero, or are as many in every row."""
    assert read_csv(b"3,10,1,2,1\n1,5,0,7,0\n").x == [[3, 10, 1, 2], [1, 5, 0, 7]]
    for doubtful in (b"3,25,1,2,1\n1,5,0,7,0\n", b"3,10,1,50,1\n1,25,0,70,0\n", b"3,0,1,5,1\n1,5,0,25,0\n"):
        with pytest.raises(BadInput, match="separator"):
            read_csv(doubtful)


# What must stand in the sentence: line, column, value.
BAD = {
    "the first cell missing": (b",0.7,1.9,1\n1.2,0.4,2.2,0\n", ("Line 1", "x1", "missing")),
    "NA in the first row": (b"NA,0.7,1.9,1\n1.2,0.4,2.2,0\n", ("Line 1", "'NA'")),
    "a decimal comma in the first row": (b'"1,5",0.7,1\n1.2,0.4,0\n', ("Line 1", "'1,5'", "decimal point")),
    "decimal commas under a header": (b"a,b,y\n0,5,1,2,1\n1,5,0,7,0\n", ("Line 2", "5 cells", "3")),
    "decimal commas without a header": (b"0,5,1,2,1\n1,5,0,7,0\n", ("5 columns", "2 features", "decimal commas", ";")),
    "a short line": (b"x1,x2,y\n1,2,1\n3,4\n", ("Line 3", "2 cells")),
    "a name twice": (b"x1,x1,x2,y\n1,9,2,1\n1,8,3,0\n", ("'x1'",)),
    "two labels": (b"a,b,Y,y\n1,2,1,0\n3,4,0,1\n", ("'y'",)),
    "a column without a name": (b"a,,b,y\n1,2,3,1\n3,4,5,0\n", ("Column 2",)),
    "underscores in a number": (b"x1,x2,y\n1_0,2,1\n2,3,0\n", ("Line 2", "x1", "'1_0'")),
    "full-width digits": ("x1,x2,y\n１,2,1\n2,3,0\n".encode(), ("Line 2", "x1")),
    "a word": (b"a,b,y\n1,2,1\n3,x,0\n", ("Line 3", "column b", "'x'")),
    "infinity": (b"a,b,y\n1,inf,1\n3,4,0\n", ("Line 2", "column b")),
    "a huge number": (b"a,b,y\n1e300,2,1\n3,4,-1\n", ("Line 2", "1e+300")),
    "three labels": (b"a,b,y\n1,2,1\n3,4,0\n3,4,2\n", ("3 values",)),
    "one label": (b"a,b,y\n1,2,1\n3,4,1\n", ("one value",)),
    "labels 0 and -1": (b"a,b,y\n1,2,0\n3,4,-1\n", ("0 and −1",)),
    "an open quotation": (b'a,b,"y\n1,2,3', ("line 2",)),
    "not text": (b"\xff\xfe\x00\x01\x80", ("UTF-8",)),
    "empty": (b" \n\n", ("empty",)),
    "a header alone": (b"x1,x2,y\n", ("no rows",)),
    "too many rows": (b"x1,x2,y\n" + b"1,2,1\n" * (params.MAX_DATA_ROWS + 1), (str(params.MAX_DATA_ROWS + 1), str(params.MAX_DATA_ROWS))),
    "one feature": (b"a,y\n1,1\n2,0\n", ("2 columns",)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_by_one_sentence_that_names_line_column_and_value(name):
    data, words = BAD[name]
    with pytest.raises(BadInput) as caught:
        read_csv(data)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
