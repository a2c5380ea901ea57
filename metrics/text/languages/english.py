"""Surface signs of English."""

from autoevol.metrics.text.languages.table import Language, any_of, pattern

_TASKS = any_of(r"""
    answer analyse analyze argue arrange assess assign brainstorm build calculate categorise categorize
    change cite classify code combine comment compare complete compose compute conclude conduct
    construct contrast convert correct count create criticise critique debug decide deduce define
    demonstrate derive describe design detail detect determine develop devise diagnose differentiate
    discuss distinguish divide document draft draw edit elaborate estimate evaluate examine expand
    explain explore express extend extract factor fill find fix formulate generate give
    group guess highlight hypothesise hypothesize identify illustrate implement improve include
    infer interpret introduce invent investigate justify label list locate match mention
    modify name offer optimise optimize order organise organize outline paraphrase parse
    perform plan plot point predict prepare present print produce program propose prove provide
    rank rate read recommend reconstruct refactor reformulate rename reorder rephrase replace report
    represent reverse review revise rewrite round search select separate share show simplify
    simulate sketch solve sort specify state structure suggest summarise summarize support
    synthesise synthesize tell test transform translate turn unscramble update verify visualise
    visualize work(?=\sout) write
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
    r"|instead|please|now|afterwards|additionally|lastly)\s+)(?:\w{3,12}ly\s+)?"
)
_QUESTION = (
    r"(?:^[ \t>*#\d.)\-(\"']{0,12}|[.;:!?]\s{1,8}|\b(?:and|or|then|but)\s+)"
    + _WH
    + r"\b|\band\s+(?:when|where)(?=\s*(?:\?|$))"
)
_LED = (
    r"^(?:in|without|with|using|for|from|as|after|before|given|within|by|based|make|help)\b"
    rf"[^.?!\n]{{1,80}}?\s{_TASKS}"
)
_MADE = r"\bmake\s+(?:a|an|the|me|it)|\bhelp\s+me"
_ADDRESSED = (
    r"\b(?:please|your\s+(?:task|answer|response|solution|code|function|script|query|explanation"
    r"|essay|story|poem)|(?:i|we)\s+(?:want|need|would\s+like)\s+you"
    r"|(?:can|could|would|will)\s+you|you\s+(?:are|will\s+be)\s+(?:asked|given|tasked)"
    r"|(?:should|must|has\s+to|needs\s+to)\s+(?:also\s+)?(?:\w+ly\s+)?(?:be|have|handle"
    rf"|return|use|contain|support|accept|take|work|run|display|{_TASKS}))\b"
)

_LANGUAGES = any_of("""
    english korean spanish french german japanese chinese arabic russian italian greek hebrew hindi
    thai latin portuguese dutch swedish polish turkish vietnamese
""")

ENGLISH = Language(
    code="en",
    script="latin",
    request=pattern(rf"\?|{_ADDRESSED}|{_LEAD}(?:{_TASKS}|{_LOOSE})\b|{_QUESTION}\b|{_LED}\b"),
    task=pattern(
        rf"\?|\bplease\b|{_LEAD}(?:{_TASKS}\b|{_MADE}\b)|{_QUESTION}\b|{_LED}\b"
        r"|\bhow\s+(?:to|many|much|long|far)\b"
    ),
    unknown=pattern(
        rf"\b(?:what|which|when|where|who|why|how)\b|\bvalues?\s+of\b|{_LEAD}{_TASKS}\b"
    ),
    amount=pattern(
        r"\bhow\s+(?:many|much|long|far|fast|old|large|big|tall|high|wide|often)\b|\bwhat\s+(?:is|was|are|were|did|does"
        r"|fraction|percent|percentage|number)\b|\b(?:find|calculate|compute|solve|determine|simplify|evaluate|work[ ]out)\b"
    ),
    thing_question=pattern(
        r"\bwhat[ ](?:is|was|are|will[ ]be)[ ](?:the|its|his|her|their)[ ](?P<thing>\w+(?:[ ]\w+){0,3})\?"
    ),
    stated=pattern(
        r"[ ](?:is|was|are|will[ ]be|equals)[ ](?:about[ ]|exactly[ ]|now[ ]|then[ ]|equal[ ]to[ ])?"
        r"(?:[$€₩]?\d|calculated\b|obtained\b|found[ ]by\b|(?:the[ ])?\w+[ ](?:divided|multiplied|times|minus|plus)\b)(?![^.?!\n]{0,80}\?)"
    ),
    numerals={
        word: value
        for value, word in enumerate(
            """
            zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
            fifteen sixteen seventeen eighteen nineteen twenty
            """.split()
        )
    }
    | {"dozen": 12, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100},
    questions=frozenset("what which who whom whose why how when where".split()),
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
    edits=pattern(
        r"\b(?:correct|fix|edit|proofread|rewrite|rephrase|convert|format|punctuate|capitali[sz]e|translate|complete"
        r"|continue|reverse|sort|replace|extract)\b"
    ),
    verse=pattern(
        r"\b(?:poem|poems|poetry|song|lyrics|chorus|refrain|villanelle|chant|rhyme|ballad|verse|verses)\b"
    ),
    message=pattern(
        r"\b(?:e-?mail|letter|message|question|questions|dialogue|conversation|survey|form|script|reply|interview"
        r"|template|request|invitation|polite|advert|announcement|notice|quiz|prompt|ask|asks|asking)\b"
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
        r"\b(?=the|its|my)(?<!so[ ]that[ ])(?<!if[ ])(?<!when[ ])(?<!whether[ ])(?<!where[ ])(?:the|its|my)[ ](?:final[ ]|correct[ ]|right[ ])?"
        r"(?:(?:answer|solution)[ ](?:is|was|equals)[ ](?!(?:given|to|not|in|a[ ]|an[ ]|of|required|unknown|correct"
        r"|reasonable|wrong|right|yes|no|always|never|based))|(?:result|output|total)[ ](?:is|was|equals)[ ][$€₩]?\d)"
        r"|(?:^[^\w\n]{0,8}|[.?!]\s{1,8})(?:answer|solution|hint)[ ]?\W{0,3}:"
        r"|\b(?:the[ ]code[ ](?:creates|prints|defines|uses)\b"
        r"|(?:which|that)[ ](?:is|equals|gives|makes)[ ][$€₩]?\d[\d.,]{0,12}[ ]?\w{0,10}[.!?]"
        r"|(?:to|you|we)[ ]get[ ][$€₩]?\d|formula\b[^.?!\n]{0,60}(?:=|[πr]²|\bis[ ][^\s]{0,20}[=*/^π²]))"
        r"|\([ ]?[$€₩]?\d[\d.,]{0,12}[ ]?[a-z²³°%]{0,12}\)\s{0,2}[?.]?\s{0,4}\Z"
    ),
    leak=pattern(
        r"\#[ ]?(?:the[ ])?(?:given|rewritten|finally[ ]rewritten|final[ ]rewritten|created|new)?"
        r"[ ]?(?:prompt|instruction|methods[ ]list|plan)[ ]?\#"
        r"|\b(?:"
        r"(?:re-?written|evolved|harder|more[ ](?:complex|difficult|challenging)|original|previous|given|above)[ ]"
        r"(?:version[ ]of[ ](?:the|this|your)[ ])?(?:instruction|prompt)s?\b"
        r"|(?:do[ ]not|don['’]?t|never)[ ](?:answer|solve|explain)[ ](?:it\b|(?:the|this)[ ]instruction\b)"
        r"|this[ ](?:new[ ]|revised[ ]|updated[ ]|evolved[ ])?instruction[ ](?:is|now|has|will|significantly|adds|requires|increases"
        r"|introduces|makes|harder|more)\b"
        r"|this[ ](?:problem|question|exercise)[ ](?:requires|involves|tests|focuses|can[ ]be[ ]solved)\b(?![ ]you)"
        r"|rewrit(?:e|ing|ten)[ ](?:the|this|an|your)[ ](?:instruction|prompt)s?\b"
        r"|mak(?:e|ing)[ ](?:the|this|it|an)[ ](?:instruction|prompt)s?[ ](?:more|harder)\b"
        r"|reply[ ]with[ ](?:a|the)[ ](?:harder|new|rewritten)\b"
        r"|add(?:s|ed|ing)?[ ](?:only[ ])?(?:ten[ ]to[ ]twenty|10(?:[ ]to[ ]|-|–)20)[ ](?:added[ ])?words\b"
        r"|this[ ]version[ ]of[ ]the[ ](?:instruction|prompt|question)\b)"
        r"|^(?:[ \t]{0,8}\#{0,6}[ ]?(?:instruction|evolved[ ]instruction|new[ ]instruction|prompt)[ ]*:"
        r"|[^\w\n]{0,8}step[ ]\d+\W{0,8}\#)"
    ),
    introduction=pattern(
        r"\b(?:this|these|the[ ]following|given|below|above|provided|existing|buggy|erroneous|incorrect"
        r"|broken|starter|skeleton|signature|for[ ]example|example|e\.g\.|such[ ]as|input|output|format|like[ ]this)\b"
    ),
    wants_code=pattern(
        r"\b(?:function|code|script|program|class|query|method|regex|regular[ ]expression|component|html|css"
        r"|sql|one-liner|command|dockerfile|decorator|algorithm|implement|python|java|javascript|c\+\+|rust|app"
        r"|table|test|api|endpoint)\b"
    ),
    wants_language=pattern(
        rf"translat|\bforeign[ ]language|\b(?:in|into|to|from|of|learn|speak)[ ](?:\w+[ ])?{_LANGUAGES}\b"
        rf"|\b{_LANGUAGES}[ ](?:word|phrase|sentence|version|translation|proverb|saying|poem|song|text|character|letter)s?\b"
        r"|\b(?:kanji|hanja|hangul)\b"
    ),
    sorts=pattern(
        r"\b(?:sort|rank|arrange|order|alphabetically|alphabetical|ascending|descending|reverse)\b"
        r"|\bfrom[ ](?:smallest|largest|shortest|longest|lowest|highest|least|most|oldest|earliest)\b"
    ),
    maths=pattern(
        r"\bto[ ](?:find|calculate|determine|solve|get)\b[^.?!\n]{0,80},[ ](?:we[ ]|you[ ])?(?:first[ ]|must[ ]|need[ ]to[ ])?"
        r"(?:divide|multiply|add|subtract|use|apply|set[ ]up)\b"
        r"|\bby[ ](?:first[ ])?(?:multiplying|dividing|adding|subtracting|taking[ ]the[ ]square[ ]root)\b"
        r"|\bso[ ](?:you|we)[ ](?:multiply|divide|add|subtract)\b"
        r"|\bthe[ ]formula[ ](?:for\b[^.?!\n]{0,60})?(?:is\b|[^.?!\n]{0,20}=)"
    ),
    refusal=pattern(
        r"\A\W{0,8}(?:(?:i['’]?m|i[ ]am)[ ](?:very[ ]|really[ ]|so[ ])?(?:sorry|afraid)\b[,.]?[ ]"
        r"(?:but\b|i[ ](?:can|am|do|won|will[ ]not)|that[ ]i[ ](?:can|am[ ]un))"
        r"|(?:(?:sorry|unfortunately|apologies),?[ ](?:but[ ])?)?(?:i|we)(?:['’]m|[ ]am|[ ]are)?[ ]"
        r"(?:can(?:['’]?t|not)|won['’]?t|will[ ]not|unable[ ]to|not[ ]able[ ]to|do[ ]not|don['’]?t)[ ]"
        r"(?:help|assist|provide|fulfil|answer|comply|generate|create|write|complete|discuss|continue|do[ ](?:that|this)"
        r"|share|process|support|engage|have[ ](?:access|the[ ]ability|enough|information|personal|feelings|pets))"
        r"|(?:sorry|my[ ]apologies|apologies|i[ ]apologi[sz]e),?[ ](?:but\b|i[ ](?:can|am[ ]un|do[ ]not|don))"
        r"|(?:as[ ]an?[ ]ai\b|as[ ]a[ ]language[ ]model|i[ ]am[ ]an?[ ]ai\b|i['’]m[ ]an?[ ]ai\b))"
        r"|\b(?:(?:against|violates?)[ ](?:my|our|the)[ ](?:content[ ]|usage[ ])?(?:polic|guideline)"
        r"|as[ ]an[ ]ai[ ](?:language[ ])?(?:model|assistant)\b)"
    ),
    dont_know=pattern(
        r"\A\W{0,8}(?:idk|i[ ](?:do[ ]not|don['’]?t)[ ]know|i[ ]have[ ]no[ ]idea|no[ ]idea)\b[^\n]{0,60}\Z"
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
        r"\A\W{0,8}(?:(?:sure|certainly|of[ ]course|absolutely|understood|great|okay|ok|got[ ]it|noted|alright"
        r"|thank[ ]you|no[ ]problem|hello|hi)(?=\W*\Z|[,.!?]|[ ]i\b)"
        r"|i[ ]understand|i(?:['’]?d|[ ]would)[ ]be[ ](?:happy|glad)|i[ ]can[ ](?:help|do|write|certainly|definitely)"
        r"|i['’]?m[ ]ready|how[ ](?:can|may)[ ]i|let[ ]me[ ]know|that[ ]is[ ](?:correct|right)"
        r"|(?:what|which)(?:[ ]\w+){0,3}[ ](?:would|do|should)[ ]you)[^\n]{0,160}\Z"
    ),
    open_end=pattern(
        r"(?:,|[(\[{]|\b(?:a|an|the|and|or|of|to|that|which|if|is|are|be|its|their|your|between|than|into|when"
        r"|while|including|using|such|has|have|because|but|whose|will|should|must|can))\s*\Z"
    ),
    promise=pattern(
        r"\A\W{0,8}(?:(?:sure|certainly|of[ ]course|absolutely|great|okay|ok)\b[^\w\n]{1,3})?"
        r"(?:(?:i['’]ll|i[ ]will|i[ ]can|i['’]m[ ]going[ ]to|i[ ]am[ ]going[ ]to|let[ ]me|i['’]d[ ]be[ ](?:happy|glad)[ ]to)"
        r"[ ](?:now[ ]|gladly[ ])?(?:write|create|provide|explain|describe|generate|prepare|draft|help|give|show|solve"
        r"|start|begin|compose|design|develop|summari[sz]e|list|outline|analy[sz]e|work|do|try)\b[^\n]{0,200}"
        r"|here(?:[ ]is|['’]s|[ ]are)\b[^\n:]{0,200}(?::|\.\.\.|…|\bbelow[.!]?))\s*\Z"
    ),
    long_form=pattern(
        r"\b(?:essay|article|blog[ ]post|report|story|tutorial|guide|proposal|lesson[ ]plan|business[ ]plan|speech"
        r"|in[ ](?:great[ ])?(?:detail|depth)|detailed|in-depth|comprehensive|thorough|thoroughly|step[ -]by[ -]step"
        r"|compare[ ]and[ ]contrast)\b"
    ),
    brief=pattern(
        r"\b(?:short|brief|briefly|concise|concisely|one|single|title|headline|tagline|slogan|name|summar\w{1,6}"
        r"|sentence|sentences|which|how[ ]many|who|when|true[ ]or[ ]false|yes[ ]or[ ]no)\b"
    ),
    target=pattern(
        r"(?P<most>\b(?:at[ ]most|under|below|within|up[ ]to|less[ ]than|fewer[ ]than|no[ ]more[ ]than|not[ ]more[ ]than"
        r"|not[ ]exceed|not[ ]exceeding|exceed|exceeding|maximum[ ]of|max|limit[ ]of|limited[ ]to|limit[ ]it[ ]to)[ ])?"
        r"(?<![\d.,])(?P<words>\d{2,5})(?:[ ]?(?:-|–|to)[ ]?\d{2,5})?[ -]?words?\b(?P<letters>)"
    ),
    imperative=pattern(
        r"(?:^[ \t>*#\d.)\-(\"']{0,12}|[.;:!?]\s{1,8}|,[ ](?:and|then|or)[ ])"
        r"(?!(?:in|on|at|to|of|by|for|from|with|without|within|as|if|when|while|since|because|after|before|during"
        r"|under|over|both|all|one|and|or|but|so|is|are|was|were|do|does|did|it|he|she|they|we|i|you|that|this"
        r"|despite|given|unlike|like|here|there|not|only|even|such|the|a|an|my|his|her|their|our|its|these|those|some"
        r"|many|most|each|every|any|no|has|have|had|will|would|can|could|may|might|must|should)\b)"
        r"(?:\w{3,12}ly[ ])?[a-z]{3,14}[ ](?:upon[ ]|on[ ]|for[ ]|in[ ]|into[ ]|out[ ]|up[ ]|with[ ])?"
        r"(?:a|an|the|this|that|these|those|your|its|their|each|any|all|both|one|two|three|four|five|six|seven|eight"
        r"|nine|ten|\d{1,3}|how|what|why|whether|which|where|me|us|yourself)\b"
    ),
    creative=pattern(
        r"\A\W{0,8}(?:please[ ])?(?:generate|write|create|describe|explain|list|suggest|compose|design|discuss"
        r"|develop|give|provide|come[ ]up|brainstorm|propose|construct|make|tell|produce|invent|outline|analy[sz]e"
        r"|compare|imagine|draft|elaborate)\b"
    ),
    closed=pattern(
        r"\A\W{0,8}(?:given|identify|classify|categori[sz]e|convert|rewrite|rephrase|summari[sz]e|determine|calculate"
        r"|compute|count|find|solve|how[ ](?:many|much)|what[ ](?:is|are|was|were)[ ]the|which|who|when|where|change"
        r"|correct|edit|translate|arrange|rearrange|sort|remove|replace|transform|turn|match|choose|select|name)\b"
    ),
    demand=pattern(
        r"\b(?:includ\w{1,4}|incorporat\w{1,4}|at[ ]least|must|should|each|and|also|as[ ]well[ ]as|along[ ]with"
        r"|such[ ]as|like|without|within|compar\w{1,6}|specify\w{0,3}|provid(?:e|ing)|explain(?:ing)?"
        r"|emphasi\w{2,4}|justif\w{1,6}|discuss\w{0,4}|detail(?:ing)?|tailored|focus\w{0,4}|consider\w{0,4}"
        r"|taking[ ]into|under|effects?|impact|role|examples?)\b"
    ),
    operation=pattern(
        r"\b(?P<verb>add|adding|adds|introduce|introducing|introduces|include|including|includes|incorporate|incorporating"
        r"|require|requiring|requires|specify|specifying|specifies|increase|increasing|increases|impose|imposing"
        r"|demand|demanding|replace|replacing|replaces|combine|combining|combines|extend|extending|extends"
        r"|deepen|deepening|complicate|complicating|concretize|concretise|restrict|restricting|limit|limiting"
        r"|change|changing|vary|varying|integrate|integrating|use|using|ask|asking|consider|considering|apply|applying)"
        r"(?:[ ](?:for|in|of|to|the|a|an|some|more|one|two|three|new|another|additional|extra|further|multiple|several"
        r"|specific|different|various|other)){0,4}[ ](?P<object>[a-z][a-z-]{2,30})"
    ),
)
