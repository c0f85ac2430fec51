"""Word classes that rules ask for, in lower case."""


def words(text):
    return frozenset(text.split())


MONTHS = words("""january february march april may june july august september october november december
    jan feb mar apr jun jul aug sept sep oct nov dec""")
ORDINALS = words("""first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
    fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth""")
EXTENSIONS = words("jpg jpeg png tif tiff dcm pdf gif heic bmp mp4 doc docx")
SUFFIXES = words("""
    alley ave avenue bend blvd boulevard branch bridge brook brooks burg burgs bypass camp canyon cape
    causeway center centers circle circles cliff cliffs club common commons corner corners course court courts
    cove coves creek crescent crest crossing crossroad crossroads ct curve dale dam divide dr drive drives
    estate estates expressway extension extensions fall falls ferry field fields flat flats ford fords forest
    forge forges fork forks fort freeway garden gardens gateway glen glens green greens grove groves harbor
    harbors haven heights highway hill hills hollow hwy inlet island islands isle junction junctions key keys
    knoll knolls lake lakes land landing lane light lights ln loaf lock locks lodge loop mall manor manors
    meadow meadows mews mill mills mission motorway mount mountain mountains neck orchard oval overpass park
    parks parkway parkways pass passage path pike pine pines pkwy pl place plain plains plaza point points
    pond port ports prairie radial ramp ranch rapid rapids rd rest ridge ridges river road roads route row rue
    run shoal shoals shore shores skyway spring springs spur spurs square squares st station stravenue stream
    street streets summit ter terrace throughway tr trace track trafficway trail tunnel turnpike underpass
    union unions valley valleys via viaduct view views village villages ville vista walk walks wall way ways
    well wells""")
FORM_WORDS = words(
    "name patient mrn dob sex born record number date birth service seen visit provider clinician address phone "
    "home tel loc written time signed pt history findings medication social administrative assessment and plan "
    "presentation examination registration disposition hospital course results discharge call review details "
    "advice medical center clinic doctor dr the a an he she his her they this that there mr mrs ms miss mx on in "
    "at of for from to with by no not nothing known next kin nok emerg spouse child parent sibling neighbor "
    "friend electronically copy dictation end please type medicare medicaid apt box street county ssn email "
    "e-mail family blood vital result laboratory labs current treatment symptoms insurance portal messages mail "
    "lives works")
COMMON = words(
    "may will hope grace faith joy long short young old little big low high head heart brain stone green white "
    "black brown gray grey rose june april august page price love heard day wall field fields hill woods wood "
    "rich best bright good sharp hurt bath foot hand skin car home diet mail son an my he she ho le so do the in "
    "van early late sunny rocky lucky happy fortune precious patience mark grant drew pat art bill frank chip "
    "dean major king duke earl guy miles penny summer winter autumn spring snow rain cook baker mason carpenter "
    "smith bishop pope abbott weeks month weight broad strong swift stark small cross ball lamb wolf fox fish "
    "salmon pound banks rivers lake marsh rush read reading walk case chart lane street park forest noble wise "
    "true gold silver diamond pearl ruby iris lily violet ivy olive hazel basil sage ginger candy sandy misty "
    "dusty tubes cane temple church wells norwalk glasgow wilson graves parkinson hodgkin crohn foley bell down "
    "addison")


CLASSES = {
    "weekday": words("""monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri
        sat sun"""),
    "th": words("st nd rd th"),
    "title": words("mr mrs ms miss mx sr sra srta mister don dona"),
    "relation": words("""spouse wife husband partner child son daughter parent mother father mom dad sibling brother
        sister neighbor neighbour friend aunt uncle cousin niece nephew grandmother grandfather grandson
        granddaughter guardian caregiver roommate fiance fiancee"""),
    "kin": words("""aunt uncle mother father parent parents brother sister spouse wife husband partner neighbor
        neighbour friend grandmother grandfather cousin patient pt sibling mom dad nephew niece"""),
    "nick": words("big little old young uncle aunt auntie"),
    "state": words("""al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny
        nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc"""),
    "tld": words("com org net edu gov io us"),
    "dots": words("dot underscore dash hyphen period plus minus"),
    "year": words("year years yr yrs"),
    "unit": words("""mg mm ml bpm kg lb cm mcg u unit units beats percent degrees c f x hours days weeks iu meq mmol
        times minutes tab tabs tablet tablets cap caps capsule puff puffs pill pills dose doses"""),
    "units1": words("""one two three four five six seven eight nine ten"""),
    "digitword": words("zero oh one two three four five six seven eight nine"),
    "where": words("above behind beside opposite near by past over below under"),
    "score": words("""pain strength power motor score scale grade murmur bp pulse pulses reflexes take takes taking
        apgar apgars gcs vision acuity mrc severity rated intensity nrs vas phq od os moca gad mmse nihss audit
        ratio"""),
    "eponym": words("""disease syndrome syndromes lymphoma score sign scale criteria catheter virus palsy tumor tumour
        stage staging classification test maneuver manoeuvre reflex contracture thyroiditis esophagus node cyst
        fracture procedure repair tube drain stain index encephalopathy sarcoma phenomenon ulcer hernia
        diverticulum duct splint dressing disorder dementia nephropathy arthritis chorea ataxia dystrophy formula
        protocol ratio respirations breathing murmur cells bodies ring rings spots plaque purpura angina coma
        thurner barr turner tourette law triad line pouch position bandage stockings grade fossa canal negative
        positive factor bleeding bengal lamp clamp lesion press depressive depression flair chart sachs flint"""),
    "idword": words("""license licence passport dl vehicle vin serial sn member policy subscriber insurance group
        account acct guarantor certificate medicare medicaid beneficiary badge device implant template registry
        token case claim permit chart mrn record billing plate tag"""),
    "idlink": words("number no id card key code label account reads shows ending in ends is statement : # ."),
    "plainly": words("""and but lives live moved helps works home letter hospital clinic was is has"""),
    "shortunit": words("tab cap pil day amp puf mcg may the and for was had has not"),
    "office": words("""mayor chief sheriff governor senator judge superintendent bishop pastor principal postmaster
        champion harpist ringer clerk keeper anchor coroner librarian organist conductor winner astronaut olympian
        mascot laureate beekeeper blacksmith founder owner coach quarterback"""),
    "holiday": words("christmas thanksgiving easter labor memorial independence halloween diwali"),
    "does": words("""is was has had says said lives knows keeps helps tolerated improved prefers given takes will
        reports report moved denies denied family arrived works volunteers presents comes missed wants asks asked
        states stated did does called can felt feels understands agrees came went may walks uses admitted seen
        writes updated remembers stays stayed got told"""),
}
