from __future__ import annotations

from collections import defaultdict

from demo.producer import messages, person


def texts_by_person(people: int, jobs: int | None = None) -> dict[str, list[str]]:
    found = defaultdict(list)
    for name, job in messages("1", people, jobs):
        found[name].append(job.message.text or "")
    return dict(found)


def test_without_a_number_of_jobs_everyone_gets_one_whole_conversation() -> None:
    said = texts_by_person(people=4)
    assert [len(texts) for texts in said.values()] == [4, 3, 5, 4]
    assert said["Ada"][0].startswith("Hi Ada")
    assert said["Ada"][-1].endswith("Enjoy the boots, Ada!")


def test_with_a_number_of_jobs_people_take_turns_until_it_is_reached() -> None:
    said = texts_by_person(people=3, jobs=50)
    assert [len(texts) for texts in said.values()] == [17, 17, 16]
    assert len(set(said["Ada"])) > 12


def test_each_person_has_an_id_and_a_name_of_their_own() -> None:
    people = [person(number) for number in range(100)]
    assert len({name for name, _ in people}) == 100
    assert len({psid for _, psid in people}) == 100
