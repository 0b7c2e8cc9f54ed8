"""Which columns a table shows where there is little room for them."""

from ansflow_desktop.widgets.table import Column, fitting


def column(least, spare=0):
    return Column(title="x", text=str, least=least, spare=spare)


def test_the_columns_that_one_can_do_without_go_first():
    columns = (column(100), column(100, spare=1), column(100, spare=2), column(100))
    assert fitting(columns, 400) == [0, 1, 2, 3]
    assert fitting(columns, 399) == [0, 1, 3]
    assert fitting(columns, 299) == [0, 3]
    assert fitting(columns, 50) == [0, 3], "what is needed stays, however little room there is"
