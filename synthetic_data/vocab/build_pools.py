"""Builds the name, street and organisation pools of this folder with Faker. Run once; the CSVs are committed.

    python -m synthetic_data.vocab.build_pools

Columns: value, group, sex (given names only), common (1: the word is also an English word or a disease), source.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
OWN = "written for caredrill"

LOCALES = {
    "anglo": ("en_US",),
    "hispanic": ("es_MX",),
    "vietnamese": ("vi_VN",),
    "nigerian": ("en_NG", "ig_NG", "yo_NG"),
    "indian": ("en_IN",),
}
PINYIN = "zh_CN"

# Words that are names and words: a de-identifier that works from a list of names removes the words too.
COMMON_GIVEN = {
    "anglo": {
        "female": "April Autumn Charity Chastity Daisy Dawn Destiny Faith Felicity Ginger Grace Hazel Heather Holly "
        "Hope Iris Ivy Jade Joy June Lily May Melody Mercy Misty Olive Patience Pearl Penny Robin Rose Ruby Sandy "
        "Summer Sunny Violet",
        "male": "Art Bill Chance Chase Chip Chuck Clay Cliff Dale Dean Drew Duke Earl Ernest Forest Frank Gene Glen "
        "Grant Guy Hunter Jack Lance Mark Max Miles Nick Pat Ray Rich Rob Rocky Rusty Sterling Victor Wade Ward Will",
    },
    "hispanic": {"female": "Alba Alma Consuelo Dolores Luz Marina Mercedes Paz Pilar", "male": "Angel Domingo Jesus"},
    "vietnamese": {"female": "An Bich My Thu", "male": "Dung Long Phuc Son Van"},
    "nigerian": {
        "female": "Blessing Charity Comfort Favour Gift Joy Mercy Patience Peace Precious",
        "male": "Goodluck Innocent Justice Lucky Monday Promise Sunday Wisdom",
    },
    "chinese_pinyin": {"female": "An Fang Min Ping Song", "male": "Gang Long Ran Sun"},
    "indian": {"female": "Asha Dimple Lovely Pinky Sweety", "male": "Happy Lucky Rip Sunny"},
    "arabic": {"female": "Hope Iman Noor", "male": "Amen Said Star"},
}
COMMON_FAMILY = {
    "anglo": "Addison Baker Banks Barber Bishop Black Bond Booth Brain Broad Bush Carpenter Cook Crohn Cushing Day "
    "Downs English Field Fields Fisher Flowers Foot Forest Fox French Frost Graves Gray Green Hand Hands Hart Head "
    "Heart Hodgkin Holland Hurt Huntington King Knight Lamb Lane Law Little Long Love Major Marsh May Monday Moon "
    "Noble Page Pain Park Parker Parkinson Payne Poole Pope Price Reading Rice Rose Rush Salmon Sharp Short Skinner "
    "Small Snow Spring Stone Strong Summers Swift Tubes Turner Walker Ward Waters Weeks Weight White Wilson Winter "
    "Wise Wood Young",
    "hispanic": "Blanco Cruz Flores Franco Leal Luna Marin Mesa Paz Prado Rivera Roman Santos Sierra Valle Vega",
    "vietnamese": "Cao Do Long Ton Van",
    "nigerian": "Best Black George Hart King Sunday",
    "chinese_pinyin": "An He Long Pan Pang She Song Sun Wan You",
    "indian": "Bail Bath Dang Das Dial Jain Mall Pant Sane Som Soman",
    "arabic": "Baker Bath Day Hadi Said Salt",
}

# Faker has the Arabic names in Arabic script and few Vietnamese and pinyin ones; these are common transliterations.
WRITTEN_GIVEN = {
    "vietnamese": {
        "female": "Diễm Dung Hà Hạnh Hiền Hoa Hue Kim Lien Loan Nga Nhung Nhi Phuong Quyen Tam Thanh Thuy Tien Trang "
        "Trinh Tuyet Uyen",
        "male": "Binh Cuong Dat Duc Duy Hai Hieu Hoa Hung Khang Khanh Kiet Lam Loc Nghia Nhan Phong Quan Quoc Tai Tan "
        "Thang Thien Tri Tuan Viet Vinh",
    },
    "chinese_pinyin": {
        "female": "Aihua Chunmei Cuiying Fenfang Guihua Hongmei Huifang Jiayi Jinghua Lanying Lihua Lijuan Meiling "
        "Meihua Mengyao Nannan Qiuyue Rongrong Shufen Suzhen Tingting Weiwei Xiaohong Xiaoli Xinyi Xueying Yanhong "
        "Yanling Yanping Yulan Yumei Yuting Zhihui",
        "male": "Aiguo Bingwen Bowen Changming Chengwei Dawei Guoqiang Guoliang Haoran Hongwei Jianguo Jianhua Jianjun "
        "Jiahao Junjie Kaiwen Liangyu Minghao Mingzhe Pengfei Qingshan Ruigang Shaoming Tianyu Weidong Weiguo Wenbin "
        "Xiaodong Xiaoming Yifan Yonggang Yuxuan Zhenhua Zhigang Zhiqiang Zihan",
    },
    "arabic": {
        "female": "Aisha Amal Amina Asma Aya Basma Dalal Dalia Farah Fatima Fatimah Ghada Hala Hanan Hiba Huda Inas "
        "Jamila Khadija Laila Lamia Latifa Lina Maha Maryam Mona Nadia Najwa Nawal Noura Rana Rania Rasha Reem Safa "
        "Salma Samar Samira Sana Sawsan Shaima Suha Yasmin Zahra Zainab",
        "male": "Abdullah Abdul-Rahman Adel Adnan Ahmad Ahmed Ali Amir Amjad Anwar Ayman Bashar Bilal Fadi Faisal "
        "Farid Faris Ghassan Hamza Hani Hasan Hassan Hussein Ibrahim Imad Issam Jamal Kamal Karim Khaled Khalil "
        "Mahmoud Majid Marwan Mohamed Mohammad Mustafa Nabil Nasser Omar Osama Rami Rashid Samir Sami Tarek Tariq "
        "Waleed Yasser Youssef Yusuf Ziad",
    },
}
WRITTEN_FAMILY = {
    "vietnamese": "Bui Chau Dang Dao Dinh Doan Duong Ha Ho Hoang Huynh Kieu La Lam Le Luong Luu Ly Mac Ngo Nghiem "
    "Nguyen Pham Phan Phung Quach Ta Tang Thai To Tran Trieu Trinh Truong Vo Vu Vuong",
    "nigerian": "Achebe Akpan Bassey Danjuma Ekpo Ezeudu Igwe Nnamdi Nwachukwu Nzekwe Obasanjo Ogunleye Okeke Okoye "
    "Onyekachi Umeh Uzoma",
    "arabic": "Abbas Abdallah Abu-Ghazaleh Al-Amin Al-Farsi Al-Ghamdi Al-Hakim Al-Hashimi Al-Jaziri Al-Khatib "
    "Al-Masri Al-Najjar Al-Qasim Al-Rashid Al-Sayed Al-Shami Al-Tamimi Al-Zahrani Awad Aziz Barakat Bishara Daher "
    "Darwish El-Amin El-Baz El-Hajj El-Masry El-Sherif Fakhoury Farah Fares Ghanem Habib Haddad Hamdan Hammoud Hariri "
    "Hijazi Ismail Jaber Kanaan Kassem Khalil Khoury Mansour Mahfouz Malik Nasr Nassar Qureshi Sabbagh Saleh Salim "
    "Shaheen Suleiman Taha Tahan Younis Zaidan Zakaria",
}


def main() -> None:
    """Write given_names, family_names, streets and organisations."""
    _write("given_names", ["value", "group", "sex", "common", "source"], _given())
    _write("family_names", ["value", "group", "common", "source"], _family())
    _write("streets", ["value", "group", "common", "source"], _streets())
    _write("organisations", ["value", "group", "common", "source"], _organisations())


def _provider(locale: str) -> type:
    provider: type = importlib.import_module(f"faker.providers.person.{locale}").Provider
    return provider


def _label(locale: str) -> str:
    import faker

    return f"Faker {faker.VERSION} {locale}"


def _given() -> Iterable[list[str]]:
    seen: set[tuple[str, str, str]] = set()

    def rows(values: Iterable[str], group: str, sex: str, source: str) -> Iterable[list[str]]:
        common = COMMON_GIVEN.get(group, {}).get(sex, "").split()
        for value in _clean(values):
            if (value, group, sex) not in seen:
                seen.add((value, group, sex))
                yield [value, group, sex, str(int(value in common)), source]

    for sex in ("female", "male"):
        for group, locales in LOCALES.items():
            for locale in locales:
                yield from rows(getattr(_provider(locale), f"first_names_{sex}"), group, sex, _label(locale))
        # Faker does not say which of its romanised names are women's; most are both.
        romanised = _provider(PINYIN).first_romanized_names  # type: ignore[attr-defined]
        yield from rows(romanised, "chinese_pinyin", sex, _label(PINYIN))
        for group, names in WRITTEN_GIVEN.items():
            yield from rows(names[sex].split(), group, sex, OWN)
        for group, names in COMMON_GIVEN.items():
            yield from rows(names[sex].split(), group, sex, OWN)


def _family() -> Iterable[list[str]]:
    seen: set[tuple[str, str]] = set()

    def rows(values: Iterable[str], group: str, source: str) -> Iterable[list[str]]:
        common = COMMON_FAMILY.get(group, "").split()
        for value in _clean(values):
            if (value, group) not in seen:
                seen.add((value, group))
                yield [value, group, str(int(value in common)), source]

    for group, locales in LOCALES.items():
        for locale in locales:
            yield from rows(list(_provider(locale).last_names)[:600], group, _label(locale))  # type: ignore[attr-defined]
    yield from rows(_provider(PINYIN).last_romanized_names, "chinese_pinyin", _label(PINYIN))  # type: ignore[attr-defined]
    for group, names in WRITTEN_FAMILY.items():
        yield from rows(names.split(), group, OWN)
    for group, names in COMMON_FAMILY.items():
        yield from rows(names.split(), group, OWN)


def _streets() -> Iterable[list[str]]:
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(1)
    for value in _clean(fake.street_name() for _ in range(320)):
        yield [value, "street", "0", _label("en_US")]
    for value in [
        "Church Street",
        "Hospital Road",
        "Main Street",
        "Park Avenue",
        "School Lane",
        "First Avenue",
        "Second Street",
        "Market Street",
        "Mercy Lane",
        "Station Road",
        "Highland Avenue",
        "Alder Street",
        "Orchard Way",
        "Canal Road",
        "County Road 12",
        "Route 9",
        "Court Street",
        "Mill Pond Road",
        "Elm Street",
        "Summer Street",
        "Winter Street",
        "May Street",
        "Grace Avenue",
        "Hope Street",
    ]:
        yield [value, "street", "1", OWN]


def _organisations() -> Iterable[list[str]]:
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(2)
    for value in _clean(fake.company() for _ in range(160)):
        yield [value, "employer", "0", _label("en_US")]
    for value in [
        "Marlow Valley Unified School District",
        "Alder Creek Packing",
        "Sunrise Citrus Growers",
        "Dunmore Fire Department",
        "Granite Notch Timber",
        "Birch Hollow Elementary",
        "Notch Road Dairy",
        "Eastbrook Town Library",
        "Plainview Grain Cooperative",
        "Sandhill Feed and Seed",
        "Prairie Wind Trucking",
        "Long Pine Sheriff's Office",
        "Good Hope Bakery",
        "Little Oaks Elementary",
    ]:
        yield [value, "employer", "1", OWN]
    for value in [
        "Bluefield Health",
        "Cedar Mutual",
        "Harborline Care",
        "Medicare",
        "Medicaid",
        "Northstar Health Plan",
    ]:
        yield [value, "insurance", "0", OWN]


def _clean(values: Iterable[str]) -> list[str]:
    """Sorted, without doubles and stray blanks: Faker's own order and its doubles are not a promise it makes."""
    return sorted({" ".join(value.split()) for value in values})


def _write(name: str, header: list[str], rows: Iterable[list[str]]) -> None:
    with (HERE / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
