"""English."""

from metrics.languages.table import Language, any_of, pattern

_TASKS = any_of("""
    answer analyse analyze arrange assess assign brainstorm build calculate categorise categorize
    change cite classify code combine comment compare complete compose compute conclude conduct
    construct contrast convert correct count create criticise critique debug decide deduce define
    demonstrate derive describe design detail detect determine develop devise diagnose differentiate
    discuss distinguish divide document draft draw edit elaborate estimate evaluate examine expand
    explain explore express extend extract factor fill find fix formulate generate give
    group guess highlight hypothesise hypothesize identify illustrate implement improve include
    infer interpret introduce invent investigate investigate justify label list locate match mention
    modify name offer optimise optimize order organise organize outline paraphrase parse
    perform plan plot point predict prepare present print produce program propose prove provide
    rank rate read recommend reconstruct refactor reformulate rename reorder rephrase replace report
    represent reverse review revise rewrite round search select separate share show simplify
    simulate sketch solve sort specify state structure suggest summarise summarize support
    synthesise synthesize tell test transform translate turn unscramble update verify visualise
    visualize write
""")
_LOOSE = any_of("""
    add adapt adjust apply ask avoid be check choose collect communicate compile configure consider
    deploy discover do ensure enter establish execute focus gather get handle help imagine
    incorporate insert install integrate keep learn let limit make measure merge monitor note
    observe pick prevent prioritise prioritize reflect remove repeat research return run save
    schedule set split start store study substitute suppose take teach think track train try use
    using
""")
_WH = (
    r"(?:what|which|who|whom|whose|why|how|(?:when|where)\s+(?:is|are|was|were|do|does|did|will|should"
    r"|can))"
)
_LEAD = (
    r"(?:^[ \t>*#\d.)\-(\"']{0,12}|[.;:!?,)]\s{1,8}|\b(?:then|and|also|or|first|second|third|next|finally|but"
    r"|instead|please|now|afterwards|additionally|lastly)\s+)"
)
_QUESTION = rf"(?:^[ \t>*#\d.)\-(\"']{0, 12}|[.;:!?]\s{1, 8}|\b(?:and|or|then|but)\s+){_WH}"
_ADDRESSED = (
    r"\bplease\b|\byour\s+(?:task|answer|response|solution|code|function|script|query|explanation"
    r"|essay|story|poem)\b|\b(?:i|we)\s+(?:want|need|would\s+like)\s+you\b"
    r"|\b(?:can|could|would|will)\s+you\b|\byou\s+(?:are|will\s+be)\s+(?:asked|given|tasked)\b"
    r"|\b(?:should|must|has\s+to|needs\s+to)\s+(?:also\s+)?(?:\w+ly\s+)?(?:be|have|handle"
    rf"|return|use|contain|support|accept|take|work|run|display|{_TASKS})\b"
)

ENGLISH = Language(
    code="en",
    script="latin",
    request=pattern(rf"\?|{_ADDRESSED}|{_LEAD}(?:{_TASKS}|{_LOOSE})\b|{_QUESTION}\b"),
    task=pattern(
        rf"\?|\bplease\b|{_LEAD}{_TASKS}\b|{_QUESTION}\b|\bhow\s+(?:to|many|much|long|far)\b"
    ),
    unknown=pattern(
        rf"\bhow\s+(?:many|much|long|far|fast|old|large|big|tall|high|wide|often|old)\b"
        rf"|\b(?:what|which|when|where|who|why|how)\b|\bvalues?\s+of\b|{_LEAD}{_TASKS}\b"
    ),
    asked=pattern(
        r"\bwhat[ ](?:is|was|are|will[ ]be)[ ](?:the|its|his|her|their)[ ](?P<thing>\w+(?:[ ]\w+){0,3})\?"
    ),
    stated=pattern(r"[ ](?:is|was|are|will[ ]be|equals)[ ](?![^.?!\n]{0,80}\?)"),
    numerals={
        word: value
        for value, word in enumerate(
            "zero one two three four five six seven eight nine ten eleven dozen".split()
        )
    }
    | {"twelve": 12},
    filler=frozenset(
        word[:5]
        for word in """
        answer answers result results value values total find calculate determine compute solve obtain
        given following apply applied get problem question number amount process resulting corresponding
        exact exactly complete entire
        """.split()
    ),
    quantity=pattern(
        r"\b(?:half|halves|halve|thirds?|quarters?|twice|thrice|doubles?|doubled|triples?|tripled|dozen|percent"
        r"|equal|equally|fewer|except|only|every|each|average|twelve|one|two|three|four|five|six|seven|eight|nine"
        r"|ten)\b"
    ),
    message=pattern(
        r"\b(?:e-?mail|letter|message|question|questions|dialogue|conversation|survey|form|script|reply|interview"
        r"|template|request|invitation|advert|announcement|notice|quiz|prompt|ask|asks|asking)\b"
    ),
    preamble=pattern(
        r"\A\s*(?:sure\b(?![ ]thing)|certainly\b|of[ ]course\b|absolutely\b|okay[,.!]|ok[,.!]|great[!,]"
        r"|here(?:[ ]is|'s|’s|[ ]are)[ ](?:a|an|the|some|one|my|your)\b|i[ ]have[ ](?:re|made|added|updated|created)"
        r"|i['’]ve\b|i['’]ll\b|let['’]s\b|to[ ](?:solve|answer|find|calculate|determine|create|implement"
        r"|sort|convert|write|translate|fix|reverse|count)\b[^.?!\n]{0,120}(?:,[ ](?:we|you|i|first|one|follow)\b|:)"
        r"|the[ ](?:answer|solution|result|correct|output)\b|(?:answer|solution|output|result|explanation|response)[ ]?:"
        r"|(?:yes|no)[,.][ ])"
    ),
    solution=pattern(
        r"\b(?:the|its|my)[ ](?:final[ ]|correct[ ]|right[ ])?(?:answer|solution|result|output|total)[ ](?:is|was|equals)[ ]"
        r"(?!(?:given|to|not|in|a[ ]|an[ ]|of|required|unknown|correct|reasonable))"
        r"|(?:^[^\w\n]{0,8}|[.?!]\s{1,8})(?:answer|solution|output|hint|explanation)[ ]?\W{0,3}:"
        r"|\bthe[ ]code[ ](?:creates|prints|defines|uses)\b"
    ),
    leak=pattern(
        r"\#[ ]?(?:the[ ])?(?:given|rewritten|finally[ ]rewritten|final[ ]rewritten|created|new)?"
        r"[ ]?(?:prompt|instruction|methods[ ]list|plan)[ ]?\#"
        r"|\b(?:re-?written|evolved|harder|more[ ](?:complex|difficult|challenging)|original|previous|given|above)[ ]"
        r"(?:version[ ]of[ ](?:the|this|your)[ ])?(?:instruction|prompt)s?\b"
        r"|\b(?:a|the|slightly)[ ](?:harder|more[ ](?:complex|difficult|challenging))[ ]version\b"
        r"|\b(?:do[ ]not|don['’]?t|without|never)[ ](?:answer|solv|explain)(?:e|ing)?[ ](?:it\b|(?:the|this)[ ]instruction\b)"
        r"|\bthis[ ](?:new[ ]|revised[ ]|updated[ ]|evolved[ ])?instruction[ ](?:is|now|has|will|significantly|adds|requires|increases"
        r"|introduces|makes|harder|more)\b"
        r"|\brewrit(?:e|ing|ten)[ ](?:the|this|an|your)[ ](?:instruction|prompt)s?\b"
        r"|\b(?:make|making)[ ](?:the|this|it|an)[ ](?:instruction|prompt)s?[ ](?:more|harder)\b"
        r"|^[ \t]{0,8}\#{0,6}[ ]?(?:instruction|evolved[ ]instruction|new[ ]instruction|prompt)[ ]*:"
        r"|^[^\w\n]{0,8}step[ ]\d+\W{0,8}\#"
        r"|\breply[ ]with[ ](?:a|the)[ ](?:harder|new|rewritten)\b"
        r"|\bten[ ]to[ ]twenty[ ]words\b|\b10(?:[ ]to[ ]|-|–)20[ ](?:added[ ])?words\b"
    ),
    given=pattern(
        r"\b(?:this|these|the[ ]following|given|below|above|provided|existing|buggy|erroneous|incorrect"
        r"|broken|starter|skeleton|signature|for[ ]example|example|e\.g\.|such[ ]as|input|output|format|like[ ]this)\b"
    ),
    wants_code=pattern(
        r"\b(?:function|code|script|program|class|query|method|regex|regular[ ]expression|component|html|css"
        r"|sql|one-liner|command|dockerfile|decorator|algorithm|implement|python|java|javascript|c\+\+|rust|app"
        r"|table|test|api|endpoint)\b"
    ),
    wants_language=pattern(
        r"translat|\b(?:in|into|to|from|of|learn|speak)[ ](?:\w+[ ])?(?:english|korean|spanish|french|german|japanese"
        r"|chinese|arabic|russian|italian|greek|hebrew|hindi|thai|latin|portuguese)\b|\bforeign[ ]language"
        r"|\b(?:english|korean|spanish|french|german|japanese|chinese)[ ](?:word|phrase|sentence|version|translation)s?\b"
    ),
    sorts=pattern(
        r"\b(?:sort|rank|arrange|order|alphabetically|alphabetical|ascending|descending|reverse)\b"
        r"|\bfrom[ ](?:smallest|largest|shortest|longest|lowest|highest|least|most|oldest|earliest)\b"
    ),
    maths=pattern(
        r"\bto[ ](?:find|calculate|determine|solve|get)\b[^.?!\n]{0,80},[ ](?:we[ ]|you[ ])?(?:first[ ]|must[ ]|need[ ]to[ ])?"
        r"(?:divide|multiply|add|subtract|use|apply|set[ ]up)\b"
        r"|\bby[ ](?:first[ ])?(?:multiplying|dividing|adding|subtracting|taking[ ]the[ ]square[ ]root)\b"
        r"|\bthe[ ]formula[ ](?:for\b[^.?!\n]{0,60})?(?:is\b|[^.?!\n]{0,20}=)"
    ),
    refusal=pattern(
        r"\A\W*(?:(?:i['’]?m|i[ ]am)[ ](?:very[ ]|really[ ]|so[ ])?(?:sorry|unable|not[ ]able|afraid|an?[ ]ai)\b"
        r"|i[ ](?:can(?:['’]?t|not)|won['’]?t|will[ ]not|do[ ]not[ ]have|don['’]?t[ ]have|am[ ]not)\b"
        r"|sorry[,.!]|sorry[ ]but\b|unfortunately,?[ ]i\b|as[ ]an?[ ]ai\b|as[ ]a[ ]language[ ]model"
        r"|my[ ]apologies|apologies,|i[ ]apologi[sz]e)"
        r"|\b(?:against|violates?)[ ](?:my|our|the)[ ](?:content[ ]|usage[ ])?(?:polic|guideline)"
        r"|\bas[ ]an[ ]ai[ ](?:language[ ])?(?:model|assistant)\b"
    ),
    dont_know=pattern(
        r"\A\W*(?:idk|i[ ](?:do[ ]not|don['’]?t)[ ]know|no[ ]idea|unknown|n/a|none)\b[^\n]{0,60}\Z"
    ),
    asks_for_input=pattern(
        r"\bplease[ ](?:provide|share|specify|send|give[ ]me|tell[ ]me|paste|upload|clarify|let[ ]me[ ]know)\b"
        r"|\b(?:can|could|would)[ ]you[ ](?:please[ ])?(?:provide|clarify|share|specify|tell[ ]me|explain[ ]what)\b"
        r"|\bneed[ ](?:some[ ]|a[ ]bit[ ])?more[ ](?:information|details|context)\b"
        r"|\b(?:you[ ])?(?:have[ ]not|haven['’]?t|didn['’]?t|did[ ]not)[ ](?:provided?|included?|specif(?:y|ied)|attached?)\b"
        r"|\bwhat[ ](?:exactly[ ])?(?:do|would)[ ]you[ ](?:mean|like)\b"
        r"|\bonce[ ]you[ ](?:provide|share|send)\b"
    ),
    confirmation=pattern(
        r"\A\W*(?:sure|certainly|of[ ]course|absolutely|understood|great|okay|ok|got[ ]it|noted|alright|yes"
        r"|thank[ ]you|no[ ]problem|hello|hi|i[ ]understand|i(?:['’]?d|[ ]would)[ ]be[ ](?:happy|glad)|i[ ]can|i['’]?m[ ]ready"
        r"|how[ ](?:can|may)[ ]i|let[ ]me[ ]know|(?:what|which)(?:[ ]\w+){0,3}[ ](?:would|do|should)[ ]you|(?:can|could|would)[ ]you|that[ ]is[ ](?:correct|right))\b[^\n]{0,160}\Z"
    ),
    open_end=pattern(
        r"(?:,|[(\[{]|\b(?:a|an|the|and|or|of|to|in|on|for|with|by|from|at|as|that|which|if|is|are|be|its|their"
        r"|your|between|than|into|when|while|including|using|such|has|have|how|what|where|because|but"
        r"|who|whose|will|should|must|can|not))\s*\Z"
    ),
)
