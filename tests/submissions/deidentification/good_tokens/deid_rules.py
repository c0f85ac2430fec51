"""The tables of rules: what a pattern finds, and its pattern in the language of deid_machine.

Classes are in capitals (deid_words.CLASSES, shapes of deid_tokens), literal words in lower case.
"""

MACROS = {
    "time": "( ( ~t | , | at | , at )? NUM ~: ~NUM ( ~: ~NUM ( ~. ~NUM )? )? ( am | pm | a ~. ~m ~.? | p ~. ~m ~.? )? "
            "( ~z | ( ~- | ~+ | _+ ) ~NUM ( ~: ~NUM )? )? )?",
    "ord": "( ( twenty | thirty ) -? ORDINAL | ORDINAL )",
    "d": "( DAY ~TH | DAY )",
    "year2": "( YYYY | ' ~YY )",
    "dateonly": "( YYYY - NUM - NUM | YYYY / NUM / NUM | YYYY . NUM . NUM | NUM - NUM - YYYY | NUM / NUM / YYYY | "
                "NUM . NUM . YYYY | NUM ~/ ~NUM ~/ ~YY | NUM ~- ~NUM ~- ~YY | NUM ~. ~NUM ~. ~YY | "
                "{d} ( - | / | . | of | ~. )? MONTH .? ( ( - | / | . | , )? {year2} | ( ~- | ~/ | ~. )? ~YY )? | "
                "MONTH .? ( - | the )? {d} ( ( - | / | . | , )? {year2} )? | "
                "the? {ord} day? of MONTH ( ,? YYYY )? | MONTH the? {ord} ( ,? YYYY )? )",
    "tail": "( ( - | to | through | until ) ( NUM / NUM ( / NUM )? | DAY !UNIT !% !- !/ ) )?",
    "run": "( ALNUM ( ~ALNUM | ~- ~ALNUM | ~/ ~ALNUM | ~. ~ALNUM | ~_ ~ALNUM )* )",
    "runs": "( ( MIXED | DIGITS2 | W1 | W2 | W3 ) ( ~ALNUM | ~- ~ALNUM | ~/ ~ALNUM | ~. ~ALNUM )* )",
    "caps": "( CAP CAP? CAP? )",
    "name": "( CAP ( - ~CAP )? ,? ( I .? )? CAP? ( - ~CAP )? ( I ~.? )? )",
    "sep": "( - | . | / )?",
    "ext": "( ,? ( x | ext | extension | # ) .? NUM | ~/ ~N4 )?",
    "local": "ALNUM ( ~ALNUM | ~. | ~_ | ~- | ~+ )*",
    "notage": "!UNIT !% !/ !: !. !- !NUM",
}

# First of all: medicine that looks like names, numbers or dates. Nothing that is found later may touch it.
KEEP = [
    "CAP -? CAP? EPONYM", "CAP -? CAP coma? EPONYM", "SHOUT EPONYM", "christmas factor", "march fracture",
    "fifth metatarsal", "los angeles grade", "may -? thurner", "austin flint", "guillain -? barre", "coma scale",
    "kelly clamp", "hill - sachs", "leg press", "cameron lesion", "wood lamp", "rose bengal", "ivy bleeding",
    "bristol chart", "bristol stool", "major EPONYM", "apgar and", "apgar", "norwalk virus", "glasgow coma",
    "foley ( out | in | removed | placed | bag | catheter )", "doppler", "holter", "t ~NUM flair", "pacu",
    "lot NUM", "ref NUM ( - NUM )?", "nct ~NUM", "irb NUM - NUM", "order set NUM - NUM", "rm NUM - NUM",
    "c ~NUM / NUM", "( l | t | c | s ) ~NUM - ( l | t | c | s )? ~NUM", "N1 phase ct?", "24 / 7", "day N1 - N1",
    "insulin NUM - NUM", "meter NUM - NUM", "NUM - NUM - NUM - NUM on the", "software NUM ( . NUM )+",
    "in the 90 ~s", "temperature NUM ( . NUM )? ( f | c )", "a / CAP / NUM / NUM", "bed NUM ~W1", "gad ~65", "scl ~70",
    "SCORE ( is | was | of | : | score | - NUM )* NUM / NUM", "NUM / NUM murmur", "plate CAP N1 . N1",
    "NUM / NUM ( UNIT | in both | in all | of a | on arrival | strength | throughout )", "n / v",
    "( bp | pressure ) ( was | : )? NUM / NUM",
    "readings below NUM / NUM", "handout from ANY ( ~ANY )*",
]

DATES = [
    "( WEEKDAY .? ,? the? )? {dateonly} {time} {tail}",
    "MONTH .? of? ( - | / | , )? {year2}",
    "YYYYMMDD ( ~t? ~NUM )?", "MM ~/ ~YYYY", "YYYY - MM", "YYYY / MM",
    "( early | late | mid | in | since | until | by | last | next | this | from | during | of ) -? < CAPMONTH >",
    "( early | late | mid | middle of | end of | beginning of ) -? CAPMONTH",
    "the DAY ~TH", "on < the {ord} > ( and | at | . | , | ; | NEWLINE )", "again on < the {ord} >",
    "HOLIDAY ( day | eve | sunday )", "new year's ( day | eve )?", "fourth of july",
    "( spring | summer | autumn | fall | winter ) of? YYYY",
    "out < NUM ( - | / ) NUM >", "out on < NUM ( - | / ) NUM >",
    "MM ~/ ~DAY !UNIT !% !in !of {tail}",
    "DAY ~/ ~MM ( !UNIT !% !in !of )",
]

NUMBERS = [
    ("URL", "( http | https ) ~: ~/ ( ~ANY )*"), ("URL", "www ~. ( ~ANY )*"),
    ("URL", "WORD ( ~ALNUM | ~. ~WORD | ~- ~WORD )* ~. ~TLD ( ~/ ( ~ANY )* )?"),
    ("URL", "( login | username | handle | skype ) ( is | : )? < {runs} >"),
    ("URL", "( login | portal use is as | signed in with | username ) < WORD ~NUM >"),
    ("EMAIL", "{local} ( DOTS {local} )* ( @ | [ ~at ~] | [ at ] | LPAR at RPAR | at | GT at LT ) WORD ( ~- ~WORD )* "
              "( . ~ALNUM | dot WORD | [ dot ] WORD | LPAR dot RPAR WORD )+"),
    ("IP", "OCTET ~. ~OCTET ~. ~OCTET ~. ~OCTET"),
    ("IP", "( ALNUM ( ~ALNUM )* ( ~: ~ALNUM ( ~ALNUM )* )* )? ~: ~: ( ~ALNUM | ~: )*"),
    ("IP", "( HEX | NUM ) ( ~ALNUM )* ( ~: ~ALNUM ( ~ALNUM )* ) ( ~: ~ALNUM ( ~ALNUM )* ) ( ~: ~ALNUM ( ~ALNUM )* ) "
           "( ~: ~ALNUM ( ~ALNUM )* )+"),
    ("SSN", "N3 ( - | . | / )? N2 ( - | . | / )? N4"),
    ("SSN", "( security number | ssn | security ) ( INCLAUSE | , )+ < N4 >"),
    ("SSN", "last ( four | 4 ) ( INCLAUSE | , )* < N4 >"),
    ("SSN", "( xxx | * ~* ~* ) -? ( xx | * ~* )? -? N4"),
    ("PHONE", "+? ( 1 ( - | . )? )? ( LPAR N3 RPAR | N3 ) {sep} N3 {sep} ( N4 | N2 {sep} N2 ) {ext}"),
    ("PHONE", "N3 ( ~- | ~. ) ~N4 {ext}"), ("PHONE", "( tel | cb | phone | from | at | number ) :? < N3 N4 >"),
    ("PHONE", "+ ~NUM ( {sep} NUM )+"), ("PHONE", "( ends | ending ) in? < N4 >"), ("PHONE", "N10 {ext}"),
    ("PHONE", "+? N11"), ("PHONE", "DIGITWORD ( -? ,? DIGITWORD )+"),
    ("ID", "LONGRUN ( ~ALNUM )* ( ~. ~ALNUM | ~- ~ALNUM )* "), ("ID", "N7UP !UNIT !copies !cells"),
    ("ID", "acc -? N4 -? NUM"), ("ID", "sha ~NUM ( = | : ) {run}"), ("ID", "sha ( = | : ) {run}"),
    ("ID", "fp ( ~- ~ALNUM ( ~ALNUM )* )+"), ("ID", "LPAR ~01 ~RPAR ( ~ANY )*"),
    ("ID", "( img | image ) ( ~_ | ~- )? ( ~ALNUM | ~_ | ~- )+ ( ~. ~FILE ~NUM? )?"),
    ("ID", "ALNUM ( ~ALNUM | ~_ | ~- )* ~. ~FILE"),
    ("ID", "N4 _N3 _N3"), ("ID", "N3 _N3 _N4"),
    ("ID", "( account | acct | guarantor | billing | member | policy | claim | case | group ) IDLINK* "
           "< NUM ( -? NUM )+ >"),
    ("ID", "IDWORD ( IDLINK | IDWORD )* < {runs} >"),
    ("ID", "( badge | permit | locker ) ( number | no | : | # )* < NUM >"),
    ("ID", "W3 ~N2 ~. ~NUM"), ("ID", "( W2 | W3 ) ~NUM ~- ~NUM"), ("ID", "( W2 | W3 ) ~N2 ( / | _ ) ~NUM"),
    ("ID", "W2 ~N6UP ~/ ~W1"), ("ID", "( W2 | W3 ) ~N6UP"), ("ID", "W1 ~N7UP"),
    ("ID", "( shelf | under | shelved | filed ) < ALNUM ( ~ALNUM )* ( ~- ~ALNUM ( ~ALNUM )* )+ >"),
    ("ID", "NUM ~- ~NUM ~- ~NUM ~- ~W1 ~NUM ( ~- ~W1 )?"),
    ("ID", "N1 ~W3 ~N3"), ("ID", "( plate | move ) < N1 W3 N3 >"), ("ID", "N1 !SHORTUNIT _W3 _N3"),
    ("ID", "( alias | plan : | plan shows | board as | out to ) < WORD ~NUM >"),
    ("ID", "( for | under | as ) < WORD ~NUM ( ~- | ~/ ) ~ALNUM >"),
    ("ID", "( record | mrn | chart | number ) ( number | : | # )* < NUM ( ( - | / | . )? NUM )+ >"),
    ("ADDRESS", "p .? o .? box #? NUM"), ("ADDRESS", "post office box #? NUM"),
    ("ADDRESS", "NUM CAP ( CAP )? ( CAP )? _SUFFIX .? ( ,? ( apt | apartment | unit | suite | ste | # ) .? #? "
                "( NUM ~W1? | W1 ~NUM? ) )?"),
    ("ADDRESS", "NUM ( county | state | us | route ) ( road | route | highway | rte ) NUM"),
    ("ADDRESS", "NUM ~TH ( & | and ) CAP CAP?"), ("ADDRESS", "CAP CAP? & CAP CAP?"),
    ("ADDRESS", "( corner of | near | from ) < ( NUM ~TH | CAP CAP? ) ( & | and | / ) CAP CAP? >"),
    ("ADDRESS", "( above | over | behind | below | beside ) the SMALL SMALL? on CAP CAP?"),
    ("ADDRESS", "( for | at | : | lives in ) < the SMALL ( - SMALL )? SMALL? ( WHERE | across from | next to ) the "
                "SMALL ( - SMALL )? SMALL? >"),
    ("ZIP", "STATE ,? < N5 ( - N4 )? >"), ("ZIP", "zip code? :? < N5 ( - N4 )? >"), ("ZIP", "CAP < N5 >"),
    ("PLACE", "( helps out at | volunteers at | teaches at | student at | attends ) < {caps} CAP? >"),
    ("PLACE", "( lives in | moved ( to | from ) | home is in | resides in | town of | born in | sent to ) < {caps} >"),
    ("PLACE", "CAP CAP? ( elementary | high school | middle school | academy )"),
    ("EMPLOYER", "( works for | works at | worked for | worked at | employed by | employer : | employer is | "
                 "retired from ) the? < CAP ( ( - | , | and | & | , and )? CAP )+ >"),
    ("DESCRIPTION", "( recognised | recognized | identified | remembered ) ( him | her | them | CAP ) ( as | from ) "
                    "< ( INCLAUSE !and !but )* INCLAUSE >"),
    ("DESCRIPTION", "( the | a | an | our ) SMALL? SMALL? SMALL? SMALL? OFFICE ( of | in | at | for | from ) the? "
                    "( CAP )+"),
    ("DESCRIPTION", "( the | our ) ( only | reigning | oldest | youngest ) SMALL SMALL? SMALL? ( of | in | at | from ) "
                    "( CAP )+"),
    ("DESCRIPTION", "( the | an | a | our ) ( !PLAINLY SMALL -? )+ ( of | in | for | at | from ) HERE CAP?"),
    ("DESCRIPTION", "( the | our ) ( town's | city's | county's | village's ) SMALL SMALL? SMALL?"),
]

AGES = [
    "< OLD > -? ( YEAR | y | yo | yr | m | f | male | female | man | woman )", "< OLD > ~- ~YEAR",
    "( aged | age | ages | aging | turned | turning | turns ) ( of | : )? < OLD > {notage}",
    "( a & w | well | died | dies | lived | deceased | healthy ) ( at | to | aged ) ( age | be )? < OLD > {notage}",
    "KIN ( is | was | at | of | now | , | LPAR | aged ) < OLD > ( , | . | ; | RPAR | NEWLINE | and | who | years )",
    "( aged | turned | at | is | was | now | of | , | a | this | lives a | pt )? < ( ninety ( -? UNITS1 )? | "
    "( one | a )? hundred ( and )? ( -? UNITS1 )? ) > -? ( YEAR | y | , | . | ; | and | NEWLINE )",
    "in ( his | her ) ( mid | late | early )? -? < ( 90 ( ~' )? ~s | nineties ) >", "nonagenarian", "centenarian",
    "supercentenarian",
]

# Names told by what stands around them.
NAMES = [
    "TITLE .? < {name} >", "< {name} > LPAR ( his | her )? RELATION RPAR", "RELATION ,? < CAP CAP? >",
    "( lodger | let to | lodger , | lodger LPAR ) < WORD ( - ~WORD )? CAP? >",
    "( nee | formerly | nicknamed | nickname | goes by | known as | aka | prefers ) \"? < CAP CAP? >",
    "of the family , < NICK? CAP CAP? >", "ride home : < CAP CAP? CAP? >", "ride : < CAP CAP? >",
    "( nok | emerg | emergency contact | ice | kin is | kin are ) :? < {name} >",
    "( pt | patient | name ) ( : | BAR ) < {name} >", "( man | woman ) LPAR < {name} > RPAR", "pt < {name} > , NUM",
    "( dictation on | dictating on | all for | type this for | spoke with | from | re | refer | relabelled for ) "
    "< CAP ,? CAP ( I ~.? )? > ( , | LPAR | NEWLINE | . | to | by )",
    "the < CAP > ( were | are ) ( updated | informed | called )", "CAP family ( mtg | meeting | updated )",
    "spelled < WORD ( ( - | . | , )? ~WORD )+ >", "I ~- ~I ( ~- ~I )+", "I _I _I _I ( _I )*",
    "BAR < CAP ,? CAP CAP? > BAR", "NEWLINE < CAP ,? CAP CAP? > LPAR",
]

RULES = [("KEEP", p) for p in KEEP] + [("DATE", p) for p in DATES] + NUMBERS + [("AGE", p) for p in AGES] \
    + [("NAME", p) for p in NAMES]
