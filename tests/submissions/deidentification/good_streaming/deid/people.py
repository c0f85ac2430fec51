"""Who and what is known from the tables: one Person per patient, one Network for all of them."""

import unicodedata
from collections import Counter
from functools import lru_cache

import regex

WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*(?:['’]\p{L}[\p{L}\p{M}]+)*")
PARTICLES = set("al el de del la las los le van von der den di da dos das du ben bin ibn abu san st y e".split())

# Words of ordinary or clinical English that are names too: they need more evidence than their spelling.
AMBIGUOUS = set(
    """
an ali may will mark rose hope grace grant long short young old strong brown black white green gray grey love
heart hand foot head brain wood woods stone rice bush field fields park parks price cook baker mason major sharp
swift wise moody bath day days week summer winter winters spring autumn snow rain frost waters rivers lake ford
wells graves hodgkin crohn parkinson wilson foley glasgow apgar norwalk thurner babinski romberg homans best
good little big power powers page pages bond cross case chase church hall house banks bell ball berry bird byrd
bishop king prince knight page west east north south so my do min he she you in on at to la le so an a be no gay
sun son sons her hers his kin kim man men person persons chi weight weights tubes love joy faith charity
patience sunday monday peace comfort gift blessing destiny iris violet lily april june august dawn eve art bill
bob chip chuck dean don drew duke earl frank gene guy harry jack jean jimmy john josh ken kit lance max miles
nick pat pearl penny peter ray rich rob rocky rod ruby rusty skip sky sue ted tim tom tony van victor wade ward
warren webb weeks welsh weiss wall walls walker walks waller turner taylor tanner cooper carter porter potter
fisher hunter shepherd skinner smith barber butler chandler draper farmer fuller gardner marshal marshall singer
spicer archer bowen branch brook brooks burns camp cannon cave clay close cole cotton crane curry dale downs
drake dunn farrow finch flowers forest foster fox french gold golden gore greer harp hart hawk hay hays hays
hicks hood horn horne hunt hurt hurst ivy jewel joiner keen lamb lane lang law leach leaf lin ling lord lowe
mann marks marsh massey mayo mays mead meadows merritt mills minor moon moss nail noble nash oneal owen pace
paine pain payne peace pike pitt poole pope post pratt press ramp ray read reed reeves rich riggs rios roach
root roots rush sage sands savage sellers self shaw shell short silver small snider sparks spear spears speed
spence spring staff stark steel steele stern still street stringer summers terry test thorn tide todd tong
towers trail tran tripp true tucker vance vu wade waite waller wan ware watch watts way weaver webster wheeler
whitehead wiley wing winn wolf worth wright yates yoder york yu ho ma vi she he hung duong bao dung phuc tu ha
ngoc nga minh quan bac chung thu thi mai kay fay dee jo ty al ed cy art chance christian cliff crystal
""".split()
)

NICKNAMES = [
    set(line.split())
    for line in """
robert rob bob bobby robbie bert
william will bill billy willie liam
richard rick ricky rich dick richie
james jim jimmy jamie
john johnny jack jon
jonathan jon johnny nathan
joseph joe joey jo
michael mike mikey mick micky
david dave davey
thomas tom tommy
charles charlie chuck chas
christopher chris kit topher
christina christine tina chris chrissy christy
daniel dan danny
matthew matt matty
anthony tony
andrew andy drew
steven stephen steve stevie
edward ed eddie ted ned
theodore ted teddy theo
kenneth ken kenny
ronald ron ronnie
donald don donnie
timothy tim timmy
gregory greg gregg
jeffrey jeff geoff
geoffrey geoff jeff
lawrence larry laurence
nicholas nick nicky nico
benjamin ben benny
samuel sam sammy
samantha sam sammy
alexander alex al xander sasha
alexandra alex sandra lexi sasha
patrick pat paddy
patricia pat patty tricia trish
peter pete
raymond ray
gerald gerry jerry
jerome jerry
walter walt wally
henry hank harry
harold harry hal
frederick fred freddy
francis frank fran
franklin frank frankie
francisco paco pancho frank
jose pepe
ignacio nacho
guadalupe lupe
eduardo lalo eddie
roberto beto
alberto beto al
jesus chuy
rosario charo
consuelo chelo
dolores lola
manuel manny
vincent vince vinny
albert al bert
alfred al fred
arthur art artie
eugene gene
zachary zach zack
joshua josh
nathaniel nate nathan nat
phillip philip phil
douglas doug
leonard len lenny leo
stanley stan
clifford cliff
curtis curt
katherine kathryn catherine kathleen kate katie kathy cathy kat kay kitty
katelyn kaitlyn kait kate katie
elizabeth liz beth betty lizzie eliza betsy libby ellie
margaret maggie meg peggy marge margie greta
jennifer jen jenny
jessica jess jessie
susan sue suzie susie
deborah debra deb debbie
barbara barb barbie
rebecca becky becca
kimberly kim kimmy
pamela pam
sandra sandy
cynthia cindy
jacqueline jackie
victoria vicky tori vicki
veronica ronnie vera roni
theresa teresa terry tess tessa
angela angie
amanda mandy
melissa mel missy lissa
melanie mel
stephanie steph
virginia ginny ginger
dorothy dot dottie
judith judy
janet jan
nancy nan
ann anne anna annie nancy
abigail abby gail
allison alison ally allie
valerie val
gabriel gabe
gabriela gabby gaby
gwendolyn gwen
isabel isabella bella izzy
josephine jo josie
lillian lily lil
madeline maddie
natalie nat
penelope penny
priscilla cilla
rosemary rose rosie
tiffany tiff
""".strip().splitlines()
]


@lru_cache(maxsize=100_000)  # the words of the texts come again and again
def fold(text):
    """Lower case, no accents: the form in which names are compared."""
    text = text.replace("đ", "d").replace("Đ", "D").replace("ø", "o").replace("ł", "l").replace("’", "'")
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def words(text):
    return [w for w in (fold(m.group()) for m in WORD.finditer(text or "")) if w]


class Person:
    """What is known of one patient and of his or her contacts."""

    __slots__ = (
        "id",
        "site",
        "row",
        "given",
        "family",
        "strong",
        "initials",
        "numbers",
        "emails",
        "birth_year",
        "sets",
        "nick",
        "streets",
        "whole",
        "joined",
    )

    def __init__(self, row):
        self.id, self.site, self.row = row["patient_id"], row.get("site", ""), row
        self.given, self.family = set(), set()
        self.strong, self.nick = set(), set()
        self.initials, self.numbers, self.emails, self.sets = set(), [], set(), []
        self.birth_year = (row.get("birth_date") or "")[:4]
        self.streets, self.whole, self.joined = [], set(), set()
        if len(street := (row.get("street") or "").strip()) > 4:
            self.streets = [street.casefold(), street.split(",")[0].casefold()]
        self.add(row.get("given", ""), row.get("middle", ""), row.get("family", ""))
        for name in ("mrn", "ssn", "health_plan_id", "phone"):
            self.number(row.get(name))
        self.emails.add((row.get("email") or "").casefold())

    def add(self, given, middle, family):
        g, m, f = words(given), words(middle), words(family)
        self.given.update(g + m)
        self.family.update(f)
        self.sets.append(set(g + m + f))
        self.joined.update("".join(part) for part in (g, m, f) if len(part) > 1)
        for part in (g, f):  # a particle that is a whole name is a name
            if part and all(w in PARTICLES for w in part):
                self.whole.update(part)
        letters = [x[0] for x in g[:1]], [x[0] for x in m[:1]], [x[0] for x in f[:1]]
        if g and f:
            gi, mi, fi = letters[0][0], (letters[1] or [""])[0], letters[2][0]
            self.initials.update({gi + fi, gi + mi + fi, fi + gi})
            solid = [w for w in f if w not in PARTICLES]
            if len(solid) > 1:
                self.initials.add(gi + solid[0][0] + solid[1][0])
        for name in g + m:
            for group in NICKNAMES:
                if name in group:
                    self.nick |= group - {name}

    def contact(self, row):
        self.add(row.get("given", ""), "", row.get("family", ""))
        self.number(row.get("phone"))
        self.emails.add((row.get("email") or "").casefold())

    def number(self, text):
        solid = "".join(c for c in text or "" if c.isalnum()).casefold()
        for form in (solid, solid.lstrip("0")):  # spreadsheets drop leading zeros
            if len(form) >= 6 and form not in self.numbers:
                self.numbers.append(form)

    @property
    def names(self):
        return self.given | self.family

    def known_numbers(self, text):
        """Where a known number of this person stands, however it is spaced."""
        where = [i for i, c in enumerate(text) if c.isalnum()]
        solid = "".join(text[i] for i in where).casefold()
        if len(solid) != len(where):
            return
        for number in self.numbers:
            at = solid.find(number)
            while at >= 0:
                last = at + len(number) - 1
                start, end = where[at], where[last] + 1
                gaps = max((where[k + 1] - where[k] for k in range(at, last)), default=1)
                apart = not (start and text[start - 1].isalnum()) and not (end < len(text) and text[end].isalnum())
                if apart and gaps <= 4 and "\n" not in text[start:end]:
                    yield start, end
                at = solid.find(number, at + 1)


class Network:
    """All names, places and employers of the release, and how the words of its texts are usually written."""

    def __init__(self):
        self.people, self.names = {}, Counter()
        self.insurers = set()
        self.cities, self.counties, self.zips, self.employers, self.streets = set(), set(), set(), set(), set()
        self.lower, self.title, self.total, self.hospitals, self.clinical = Counter(), Counter(), 0, set(), set()
        self.seen_title_mid = Counter()

    def patient(self, row):
        person = self.people[row["patient_id"]] = Person(row)
        self.names.update(person.names)
        if row.get("insurance"):
            self.insurers.add(row["insurance"].strip())
        for kind, name in (
            (self.cities, "city"),
            (self.counties, "county"),
            (self.zips, "zip"),
            (self.employers, "employer"),
            (self.streets, "street"),
        ):
            if row.get(name):
                kind.add(row[name].strip())

    def contact(self, row):
        person = self.people.get(row["patient_id"])
        if person:
            person.contact(row)
        self.names.update(words(row.get("given", "")) + words(row.get("family", "")))

    def read(self, text, person):
        """Count the words of a text that are not its own patient's names: in lower case, and capitalised."""
        own = person.names if person else ()
        low, cap = set(), set()
        for m in WORD.finditer(text):
            w = m.group()
            f = fold(w)
            if f in own or (f.endswith("s") and f[:-1] in own):
                continue
            (low if w.islower() else cap).add(f)
        self.total += 1
        self.lower.update(low)
        self.title.update(cap)

    def settle(self):
        """After reading: which names are ordinary words too."""
        self.floor = max(3, self.total // 400)
        self.common = {
            w for w, n in self.lower.items() if n >= self.floor and (w not in self.names or n > 3 * self.names[w])
        }
        self.ambiguous = (AMBIGUOUS | self.common | self.clinical | PARTICLES) & (set(self.names) | AMBIGUOUS)

        def any_of(items, tail=""):
            items = sorted({i for i in items if len(i) > 2}, key=len, reverse=True)
            if not items:
                return regex.compile(r"(?!)")
            body = "|".join(regex.sub(r"\\?\s+", r"\\s+", regex.escape(i)) for i in items)
            return regex.compile(rf"(?i)(?<![\p{{L}}\d])(?:{body})(?![\p{{L}}\d]){tail}")

        self.hospital_re = any_of(self.hospitals | self.insurers)
        self.place_re = any_of(self.cities | self.counties)
        self.employer_re = any_of(self.employers)
        self.zip_re = any_of(self.zips)
        self.city_names = (
            "|".join(
                sorted((regex.escape(c) for c in self.cities | self.counties if len(c) > 2), key=len, reverse=True)
            )
            or r"(?!)"
        )
