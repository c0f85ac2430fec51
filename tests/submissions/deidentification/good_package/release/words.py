"""Ordinary and clinical words that are no names (when written in lower case)."""

WORDS = frozenset(
    """
    abdomen abdominal abg able about above abscess absent accompanied account ace acetaminophen across active
    actuat acute ad adapted addr address adequate adm administrative admission admit admitted advair advice
    advil advised afebrile afib african after again against ago agreement agrees air albuterol alcohol alert
    aleve all allergies allergy along already also although always ambien ambulance ambulates ambulating
    ambulatory american amlodipine among amoxicillin an analysis and anemia angina ankle annual another
    answered anterior antibiotics anticoagulation anxiety anxious any aox appears appendectomy appetite
    appointment appropriate arabic arb are area arm arms around arrival arterial artery as asian asked aspirin
    assay assessed assessment assistance associated asthma at atherosclerotic ativan atorvastatin atrial att
    augmentin aunt automated awake aware away axillary azithromycin back bactrim badge based baseline bases
    bathing bay be because become bedside bedtime been before began begin behavioral being bell below benadryl
    best better between biba bid big bilat bilateral bilaterally billing birth bleeding blood bluefield bmi
    bmp bnp body born both bottom bowel box bp bph bradycardia braille breakfast breast breath breathing brief
    bring brother brought bruising bun by cabinet cac cad calcium calculation calf call called calm came can
    cancer cane cannot cantonese capsule car card cardiac care caregiver carvedilol catheter catholic
    caucasian cbc cedar cefepime ceftriaxone celexa cellulitis cerebral cervical champion change changes chart
    checked chess chest chf chief child children chills chinese cholesterol christmas chronic cipro ckd
    claritin clear clin clinic clinical clinician clopidogrel close closed clubbing cmp cna coagulation coded
    colace cold colleague colonoscopy coma come comes comfortable common complains complaint complete
    compliance compliant complications concern condition confirmed confusion consent consider consistent
    constipation consult consultation cont contact contacts continue cooperative copd copied copy cor coreg
    coronary cough could coumadin counseled count course cousin covid cozaar crackles creatinine crestor crp
    ct ctab culture current cv cva cxr cyanosis cycle daily dash date daughter day days dds de decline
    decreased deep deficiency dehydration delayed dementia denied denies depressive dermatology desk details
    develops device diabetes diabetic diagnosed diagnosis diarrhea diary diastolic dictating dictation did
    diet dietary difficulty dilantin dilaudid diovan discharge discharged discomfort discuss discussed disease
    disorder disposition distress disturbance diverticulitis dizziness dizzy dm dni dnr do dob doctor does
    doing done door dose doses down doxycycline dpm dressing drinking drinks driver drives drug due dulcolax
    during dvt dx dysuria each early eating ecg echo ed edema education ee eeg effect effects effusion egfr
    eighteenth eighth either ejection ekg elderly electrolytes electronically elevated eleventh eliquis
    embolism emerg emergency emg empagliflozin employer empty encounter end ended endocrine endoscopy english
    enlarged enough enrolled ensure eomi epi episode equal er erythema esophageal esophagitis esr essential
    european eval evening ever every evidence exacerbation exam examination examined except excluded exercise
    exertion exertional expected external extremities eyes facetime failure fall falls family far fasting
    father fatigue febrile feels fell felt female femur fentanyl ferrous fever few fh fibrillation fifteenth
    fifth file filtration findings fine fingerprint fire firm first five flags flagyl flair flank flomax
    flovent flu fluid flushing focal follow followed following followup food foot for form former formula
    forward found four fourteenth fourth fraction fracture free frequent friend from full function furosemide
    further fx gabapentin gait gallops gastro gastrointestinal gatorade gcs general generalized gentle gerd
    get gets gi give given glargine glipizide glomerular glucophage glucose go goal goes going good google got
    gradual granddaughter grandfather grandmother grandson great gross grossly group gu guarantor guardian
    guarding had hand handed hands harborline hard harpist has have hba hdl he head headache healing health
    healthy hear heard hearing heart heent height held help helps hematology hematuria hemoglobin hemolyzed
    hemorrhage heparin her here hernia hgb high him hindi hip his hispanic history hld hold holidays home hope
    hosp hospital hospitalization hour hours how however hr hs ht htn humalog hundred husband hx hydration
    hydrochloride hydrochlorothiazide hyperglycemia hyperlipidemia hypertension hypotension hypothyroidism
    ibuprofen icd icu identity if ill im image imaging immediate immunization improve improved in incision
    include including incontinence increase increased independent index indicated infarction infection
    inflammation influenza infusion inhale inhaler initial injection injury inr inside instructed insulin
    insurance intact intake intermittent internet interpreter interval intestine into intolerance invanz iron
    irritation is issue issues it itching iu iv januvia jardiance jaundice joint just keep keeps keflex keppra
    kept key kg kidney kin kind kleenex knee known knows lab label laboratory labs lactate lactated lantus
    large lasix last late later lateral latino lay ldl lead leave left leg legs lesion lesions less let
    lethargic letter leukocytes levaquin level levophed levothyroxine lexapro lft lib license light like
    likely limb line lipitor lips lisinopril lispro list listed little liver lives living loan loc local long
    longest look loose lopressor losartan loss lovenox low lower lpn lt lung lungs lymph lymphoma lyrica made
    mail main major make malaise male malignant man manage managed management mandarin many mark marked mass
    masses may mayor md meals mean means medicaid medical medicare medication medications mediterranean
    medline medrol meds mellitus member mental merged messages metered metformin metoprolol mg mgmt mi mid
    might mild min mind minimal minor minutes miralax missed ml mmol mobility moderate moderna moles monitor
    month monthly months mood more morning morphine most mother motor motrin mouth move moved mr mra mri mrn
    ms msk mtg much mucosa murmur murmurs muscle muslim mutual mylanta myocardial nad nail name naproxen
    narrow narrowing nasal nasogastric native natriuretic nausea nauseated nd near neck necrosis need needed
    needs negative neighbor neoplasm nephew nerve neuro neurological neurology neurontin neuropathy never new
    nexium next niece night nine nineteenth ninety ninth nka nkda no nobody nodes nok noncompliant none
    nonfasting nontender nor norco normal northstar norvasc nose not note noted nothing novolog now np npo
    nsaid nstemi number numbness nurse nutrition obese obesity objective observation observed obstructive
    obtained occasional occupational of off often old omeprazole on once oncology one only onset open
    ophthalmology or oral order ordered organism oriented orthopedics orthostatic osteoarthritis osteoporosis
    ot other others our out outpatient outside over overnight own oximetry oxycodone oxygen pa page pain pale
    palpable palpitations pancreatitis parent part partial partner past patient pcp pe pectoris pelvic pepcid
    peptide percocet perforation perform performed period peripheral perrla person pfizer pft pharmacy pharmd
    phd phone photograph physical physician place plain plan plasma plate platelet plavix please plt pmh
    pneumonia pneumovax po poa point poor portal positive possible post posterior potassium ppi precautions
    prednisone prefers prescribed prescription present presentation presenting presents pressure prevention
    previous prevnar prilosec primary prior prn problem problems procedure prognosis progress proscar prostate
    protonix prov provide provider proximal prozac psa psh psych psychiatric psychotic pt ptt puffs pulmonale
    pulmonary pulse pulses pupils purulent put qam qd qhs qid qpm question questions quick quiet quite ra
    radiating radiation radiology range rapid rash rate ratio rbc re reached reactive reading readings reads
    ready reason reassurance reassured received recent recheck recognised recommend record recovered recovery
    rectal recur recurrent red reduced refer referral refill reflexes reflux refused regimen regional
    registration registry regular rehab rehabilitation reigning related relative relaxed release relevant
    relief remained remission removed renal repeat repeated report reports request res resolved respiratory
    rest resting result results retention return returned review reviewed rhonchi rhythm ride right ringer
    ringers risk rn rocephin room roommate ros rose rosuvastatin round routine rr rrr rt rtc rubs russian rx
    sadness safe salt same sample sao sat saturation saw say says scale scan schedule scheduled score screen
    seated second secondary section security see seek seems seen send senna sensation sensory sent sepsis
    septic serial series sertraline serum service serving session set seventeenth seventh several severe
    severity sex sh sha shared she shingrix short shortness should shoulder show shown shows sibling sick side
    sign signed signs similar since single singulair sinus sister sit sitagliptin site six sixteenth sixth
    skin skip skype sleep sleeping slight slightly slow small smoke smoker smoking social sodium soft some son
    soon sore spanish speaking specialty specified specimen spelled spine spiriva spo spoke spouse sputum ssn
    ssri st stable staff stage stand start started statement status stay steadily steady stenosis step steri
    stiffness still stomach stool stop stopped stored strength stroke strong study subendocardial subjective
    such sudden suggest suicidal sulfate supine supple support surgery suspected suture sweet swelling swollen
    sx symbicort symmetric symptom symptoms syncope syndrome synthroid system systolic tablet tablets
    tachycardia take taken takes talked taper tartrate tc tdap tegaderm tel telephone temp temperature
    template tender tenderness tenth test tests th than thank thanksgiving that the their them then therapy
    there these they thick thin third thirteenth thirtieth thirty this those three throat through throughout
    thyroid thyrotropin tia tid time times tinnitus tired tiredness to tobacco today told tolerated tolerating
    tomorrow tone tongue too took top toprol total toward tract tramadol transfer transferred transfusion
    transport trauma travel treat treated treatment tremor trial tricare triglyceride triglycerides troponin
    trouble true try tsh tums turn turned twelfth twentieth twenty twice two tx tylenol type uber ul ulcer
    ultrasound unable unasyn unchanged uncle uncomplicated under understands uneventful unit units unknown
    unlikely unrelated unremarkable unresponsive unspecified unsteady until up updated uploaded upper urgent
    uri urinary urine us use used using usual uti vaccination vaccine vaginal valium value vancomycin various
    vascular vehicle vein velcro ventilation ventolin verified vertigo very vicodin video vietnamese virus
    vision visit visitor visits vital vitals voiding volume volunteers vomiting vs wait walk walker walking
    walks want ward warfarin warm was watch water way wbc we weak weakness wear weather week weekends weeks
    weigh weight well wellness went were wet what wheelchair wheezes wheezing when where which while white who
    whole whom whose why wide wife will wine wish with within without wnl wo woman word work works worse
    worsening would wound write writes written wt xanax xarelto xr year years yellow yes yesterday yet you
    young your yourself zantac zestril zithromax zofran zoloft zoom zosyn zyrtec
    """.split()
)
