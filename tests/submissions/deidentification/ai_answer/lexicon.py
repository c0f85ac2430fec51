"""Word lists for scrub.py. All in lower case and without accents."""

FIRST = set("""
james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony donald steven paul
andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen
larry justin scott brandon benjamin samuel gregory raymond patrick alexander jack dennis jerry tyler aaron henry nathan
walter harold arthur albert eugene ralph howard ernest mary patricia jennifer linda elizabeth barbara susan jessica sarah
karen lisa nancy betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca
laura sharon cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen samantha katherine christine debra
rachel carolyn janet catherine maria heather diane olivia julie joyce victoria ruth virginia evelyn martha dorothy edith
jose juan luis carlos jorge pedro manuel miguel rafael francisco alejandro fernando ricardo eduardo javier hector raul sergio
guadalupe rosa carmen ana isabel lucia elena gloria sofia valentina camila mariana consuelo esperanza pilar ximena diego
minh anh thuy linh huong lan phuong hoa trang thanh tuan dung duc quang hieu khanh ngoc bao quoc viet thao yen nhung tam
chukwuemeka chinedu emeka obinna ngozi chioma adaeze ifeoma amaka oluwaseun tunde babatunde folake yetunde adebayo kehinde
taiwo funmilayo olumide segun ayodele uche nneka chiamaka ikenna temitope wei jing xiaoming xiuying mei fang ying hui jun
yan ling xin zhen hong lei qiang jianguo guoqiang yifan zihan yuxuan haoran meiling raj priya anjali amit rahul sanjay
vijay suresh ramesh deepak sunita kavita lakshmi arjun rohan neha pooja anil ravi meera divya krishna gopal mohammed
muhammad ahmed ali hassan hussein omar khalid fatima aisha zainab mariam layla yusuf ibrahim abdullah mahmoud samira nadia
tariq rania karim mustafa salma noor amira jamal
""".split())
LAST = set("""
smith johnson williams jones davis miller wilson moore anderson taylor jackson harris martin thompson garcia martinez robinson
clark rodriguez lewis walker allen wright lopez hernandez gonzalez hill nelson carter mitchell perez roberts turner phillips
campbell parker evans edwards collins stewart sanchez morris rogers reed cook morgan murphy bailey rivera cooper richardson
cox torres peterson ramirez watson brooks kelly sanders bennett gray hughes flores sullivan fisher mccarthy obrien oconnor
whitfield kowalski schmidt hoffman gomez diaz reyes morales cruz ortiz gutierrez ramos ruiz alvarez mendoza castillo jimenez
vasquez romero herrera medina aguilar vargas castro guzman munoz salazar delgado nguyen tran pham huynh hoang phan truong
dang bui duong ngo vuong trinh luong okonkwo okafor adeyemi eze nwosu obi okoye chukwu adebayo oyelaran balogun afolabi
ogunleye nwachukwu onyeka igwe adesina akintola uzoma zhang wang chen liu yang huang zhao zhou zhu lin guo gao luo zheng
liang xie tang feng cheng deng xiao jiang cai patel singh kumar sharma gupta shah reddy iyer nair mehta joshi desai rao
menon chatterjee banerjee mukherjee agarwal kapoor malhotra krishnan subramanian venkataraman bhatt khan hussain ahmad
rahman haddad khoury nasser mansour saleh farouk hamdan suleiman abdallah najjar rashid qureshi siddiqui khalil darwish
""".split())

NICK = {
    "william": "bill billy will willie liam", "robert": "bob bobby rob robbie", "richard": "rick ricky dick rich",
    "james": "jim jimmy jamie", "john": "jack johnny", "michael": "mike mikey", "joseph": "joe joey",
    "thomas": "tom tommy", "charles": "charlie chuck", "christopher": "chris", "daniel": "dan danny",
    "matthew": "matt", "anthony": "tony", "steven": "steve", "stephen": "steve", "andrew": "andy drew",
    "edward": "ed eddie ted", "kenneth": "ken kenny", "ronald": "ron ronnie", "timothy": "tim timmy",
    "jeffrey": "jeff", "benjamin": "ben benny", "samuel": "sam sammy", "gregory": "greg", "raymond": "ray",
    "patrick": "pat paddy", "alexander": "alex", "nicholas": "nick", "elizabeth": "liz beth betty lizzie eliza betsy",
    "margaret": "maggie peggy meg marge", "patricia": "pat patty trish tricia", "jennifer": "jen jenny",
    "barbara": "barb", "susan": "sue susie", "jessica": "jess jessie", "katherine": "kate kathy katie kat",
    "catherine": "cathy kate cat", "kathleen": "kathy", "deborah": "deb debbie", "rebecca": "becky becca",
    "dorothy": "dot dottie", "victoria": "vicky tori", "christine": "chris chrissy tina", "pamela": "pam",
    "cynthia": "cindy", "sandra": "sandy", "stephanie": "steph", "samantha": "sam", "francisco": "paco pancho",
    "jose": "pepe", "guadalupe": "lupe lupita", "ignacio": "nacho", "dolores": "lola", "isabel": "isa chabela",
    "eduardo": "lalo", "rosario": "chayo", "oluwaseun": "seun", "babatunde": "tunde", "chukwuemeka": "emeka",
    "mohammed": "mo", "lawrence": "larry", "theodore": "ted teddy", "frederick": "fred", "harold": "harry hal",
    "virginia": "ginny", "eleanor": "ellie nell", "judith": "judy", "donald": "don donnie", "walter": "walt",
}

PARTICLES = set("de la del las los al el bin ibn bint van von der den da dos di du le st san abu abd ur ul y e ter".split())

# names that are also words: they need a capital and a context
COMMON = set("""
a an he she it do so to my may will hope grace faith joy rose mark bill art pat sue drew rich frank gene chance young long
short white brown green black gray grey hill wood woods stone rivers waters fields park day week early late best good goodman
may june april august summer autumn winter spring son man he her him his who was than then the and or no on in at is as ha ho
hung dung long hoa mai le ma an yu he min can pan shell bank banks bell ball cook baker carpenter mason miller hunter fisher
taylor smith porter parker page king prince bishop pope price rice wheat berry cherry olive ivy lily daisy iris ruby pearl
amber crystal dawn eve star sky rain snow frost storm west east north south cross case pace gore wells pain pains hand head
foot legg back blood bone love darling sweet sharp strong weak power powers fast swift light dark bright little small large
major minor cancer virus norm sterling silver gold golden steel cole coal glass marsh lake ford bridge gates hall house
home field forest ocean bush branch root reed moss heath lane street rhodes church temple abbey day holiday christmas noel
wade walker walk rush dash dial call buck doe fox wolf bear byrd bird crane swan drake finch hawk lamb bull bass pike herring
max min gay guy roman christian jewish dean earl duke sergeant major marshall guard ward nurse child childs boy mother
mercy charity angel harmony melody destiny serenity trinity sage ginger basil rosemary heather hazel holly laurel myrtle
fern violet penny jade coral sandy misty stormy rusty dusty sonny buddy chip skip rob pat rip hank mike nick jack chuck dick
peter lance sally bob tom don see read moody blank bland hale wise noble gentle love savage wild care lord new old first
last thin an ong vu ho do bo ly ng tu ai ren ping hu bai du fan he hou kong lu mo pi qin ran shi su wan xu ye yin you yu
hui hong so ban sun tong gu gong hang sang song wu xi sing man wong ray gray nose iron urban manual
""".split())

EPONYMS = set("""
parkinson alzheimer crohn hodgkin graves addison cushing bell huntington hashimoto barrett raynaud sjogren wilson paget
marfan turner klinefelter down guillain barre kawasaki lyme meniere tourette wernicke korsakoff babinski romberg murphy
mcburney rovsing homan homans phalen tinel finkelstein lachman mcmurray spurling trendelenburg kernig brudzinski foley
hoyer holter doppler glasgow apgar ringer ringers braden norton morse tanner bishop ranson child pugh wells framingham
kussmaul cheyne stokes biot charcot marie tooth creutzfeldt jakob lewy pick friedreich duchenne becker gehrig hansen
hirschsprung peyronie dupuytren colles smith baker morton osgood schlatter perthes legg calve kaposi burkitt waldenstrom
ewing wilms bowen merkel epstein barr coxsackie salmonella mallory weiss zenker zollinger ellison peutz jeghers gilbert
dubin johnson crigler najjar budd chiari fanconi bartter gitelman conn liddle berger goodpasture alport wegener churg
strauss takayasu behcet reiter still felty caplan hamman rich eisenmenger fallot ebstein wolff white lown brugada
dressler prinzmetal osler janeway roth virchow sister mary joseph courvoisier cullen grey turner chvostek trousseau
horner adie argyll robertson arnold dandy walker brown sequard von willebrand hippel lindau recklinghausen gaucher fabry
tay sachs niemann pompe hurler hunter ehlers danlos prader willi angelman rett asperger noonan digeorge edwards patau
lambert eaton miller fisher todd jackson heimlich valsalva dix hallpike epley kegel kocher pfannenstiel whipple billroth
roux hartmann nissen swan ganz hickman broviac mahurkar tenckhoff yankauer jackson pratt penrose kirschner steri allen
gram wright giemsa ziehl neelsen papanicolaou coombs rinne weber snellen ishihara amsler schirmer ghon pott starling
cockcroft gault nyha killip mallampati beck hamilton snyder morris berg katz lawton barthel rankin hoehn yahr boston
hunt hess fisher nash sutter graham hawkins neer yergason speed thomas ober thompson bouchard heberden hill sachs bankart
monteggia galeazzi jones lisfranc weber salter harris garden gustilo pearson hurthle reed sternberg auer howell jolly heinz
charles bonnet stevens bence friedewald quincke tietze ludwig vincent lemierre hutchinson ramsay marjolin bazett fridericia
""".split())

EPONYM_NOUN = set("""
disease syndrome syndromes sign signs palsy lymphoma criteria score scale test testing reflex phenomenon contracture catheter
stain fracture tumor tumour ulcer esophagus oesophagus thyroiditis tube maneuver manoeuvre position classification procedure
disorder dementia bodies body cyst neuroma nodes node spots lines sarcoma ataxia dystrophy chorea anemia gangrene purpura
encephalopathy psychosis triad law equation formula index grade staging stage drain lift monitor coma solution lactate
respirations breathing pulse murmur heart joint foot nodule nodules point incision hernia abscess angina tear tears ring
diverticulum metaplasia virus method fever malformation carcinoma cell cells anomaly tetralogy needle wire clamp forceps
tremor rigidity exercises exercise chart card operation repair fundoplication resection pouch paralysis goiter ophthalmopathy
orbitopathy count matter blood sputum stool discharge noise parkinsonism nephropathy arthropathy vasculitis granulomatosis
glomerulonephritis protein proteins filter gauge approach technique questionnaire inventory assessment exam classificatory
strain lesion plaque canal ligament tendon duct gland tubule loop pack catheterization disk dressing bandage splint boot
""".split())

STATES = set("""
alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa
kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada ohio
oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming hampshire jersey mexico york
carolina dakota usa america mexico canada vietnam china india nigeria egypt syria iraq iran lebanon pakistan bangladesh
england ireland france germany spain italy cuba guatemala honduras salvador colombia peru brazil ghana kenya ethiopia
somalia philippines japan korea russia ukraine poland europe africa asia
""".split())

CLINICAL_ABBR = set("""
ms pt bp hr rr ra ca mi pe dm ed er iv im po pr bm cp sob rn md np pa ot st pm am do la tb uti hx dx rx tx fx sx cc hpi ros
pmh ct mr us ua cv gi gu gb ct ac pc hs od os ou ad as au na k cl co cr mg ml kg cm mm lb fu dc dnr icu ent ob gyn lv rv ef
ld hd hd pd cf cn nc nt nd bs wa lt rt sl tm ts vs sa sp jp ch pp cbc bmp cmp inr ptt esr crp tsh psa ekg ecg cxr mri sh fh
""".split())
