"""Talk about rewriting in free wording: what a rewrite says of itself and of what it was made from.

A strong model rarely says "rewritten instruction". It says that the *original request* was too
simple, that here is a *harder version*, or that it *added conditions*. Each of the three occurs in
ordinary tasks as well ("compare the original version", "then a harder variant"); two of them in one
opening do not.
"""

from autoevol.metrics.text.languages.table import Pattern, pattern

OPENING = 260
"""Characters in which a rewrite talks about itself, before it begins."""

_TALK = {
    "en": (
        r"\b(?:original|initial|starting|old|your)[ ](?:request|instruction|prompt|task|question|wording|version|ask)\b(?=[^.?!\n]{0,60}\b(?:too|was|felt|seemed|looked|left|has[ ]been|harder|tougher|now|lacked|into)\b)|\b(?:what|the[ ]one)[ ]you[ ](?:gave|sent|asked)\b[^.?!\n]{0,40}\btoo[ ](?:easy|simple|plain|generic|broad|vague)\b",
        r"\b(?:harder|tougher|trickier|stiffer|upgraded|more[ ](?:challenging|demanding|complex|difficult|advanced))[ ](?:\w+[ ])?(?:version|form|variant|wording|take|task|prompt|instruction|challenge)\b",
        r"\b(?:i|we)(?:['’]ve|[ ]have)?[ ](?:\w+[ ])?(?:added|raised|reworked|rewrote|rewritten|turned|expanded|upgraded|toughened|sharpened|layered|tightened|made)\b[^.?!\n]{0,60}\b(?:harder|tougher|more[ ]demanding|(?:condition|constraint|requirement|difficulty)s?)\b",
    ),
    "ko": (
        r"(?:처음|원래|기존|주신|받은|앞선)[ ]?(?:주신[ ]|의[ ])?(?:문장|요청|질문|지시|과제|문제|부탁)[^.?!\n]{0,40}(?:단순|쉬|쉽|평이|밋밋|부족|넓|막연|모호|바꾸|다듬|고쳐|만들)",
        r"더[ ](?:어려운|까다로운|복잡한|도전적인)[ ](?:버전|형태|과제|문제|요청|질문)",
        r"(?:조건|제약|난이도|난도)(?:을|를)?[^.?!\n]{0,20}(?:얹어|더해|추가해|높여|올려|덧붙여)[^.?!\n]{0,12}(?:보았|봤|만들|다듬|바꾸|바꿨|고쳤)",
    ),
    "ja": (
        r"(?:元|もと|最初|いただいた|頂いた|与えられた|当初)の?(?:一文|文|依頼|お題|質問|指示|課題|問い|要望)[^。？\n]{0,30}(?:単純|簡単|易し|物足り|漠然|作り替え|作り変え|書き換え|練り直|改め|深め|難し|条件)",
        r"(?:難しい|難易度の高い|歯ごたえのある|高度な|複雑な)(?:形|版|バージョン|問い|課題|お題)に(?:作り|書き|仕立て|練り|改め|変え|し)",
        r"(?:条件|制約|難易度)を[^。\n]{0,12}(?:加え|足し|上げ|増やし|盛り込み)(?:てみ|まし|た(?:もの|結果))",
    ),
    "zh": (
        r"(?:原先|原来|原本|原始|最初|之前|刚才|您给|你给)的?(?:那?句话?|那个|这个)?(?:话|要求|请求|问题|指令|题目|说法|任务)[^。？！\n]{0,24}(?:过于|太|有些|略显|不够|简单|笼统|改|加|换)",
        r"(?:换成|改成|改为|变成|升级为|这是|以下是)[^。\n]{0,8}更(?:有挑战|具挑战性?|难|复杂|高阶|深入)的?(?:一个)?(?:说法|版本|形式|题目|任务|要求|问法)",
        r"(?:我|这里)[^。\n]{0,12}(?:加了|增加了|添加了|提高了|加上了|补充了)[^。\n]{0,16}(?:条件|限制|难度|要求)",
    ),
    "es": (
        r"\b(?:petición|instrucción|consigna|pregunta|tarea|enunciado|encargo|solicitud)[ ](?:original|inicial|de[ ]partida)\b|\b(?:lo[ ]que[ ]se[ ]pedía|el[ ]encargo[ ]de[ ]partida)\b",
        r"\b(?:versión|forma|variante|formulación)[ ](?:\w+[ ])?(?:más[ ])(?:difícil|exigente|compleja|dura|desafiante|completa)\b|\bpara[ ]que[ ](?:exija|sea|resulte)[ ](?:un[ ]poco[ ])?(?:más|mayor)[ ](?:difícil|exigente|reflexión|esfuerzo)",
        r"\b(?:he|hemos)[ ](?:añadido|endurecido|complicado|elevado|subido|reforzado|dado|convertido|transformado|reformulado)\b[^.?!\n]{0,60}(?:condici|exigenc|requisit|restricc|dificult|consigna|petición|instrucción|se[ ]pedía|más[ ]difícil)",
    ),
    "de": (
        r"\b(?:ursprüngliche|anfängliche|bisherige|vorgegebene)[nmrs]?[ ](?:frage|aufgabe|anweisung|bitte|anfrage|auftrag|aufgabenstellung|vorgabe)\b",
        r"\b(?:schwierigere|anspruchsvollere|schwerere|kniffligere|komplexere|verschärfte)[nmrs]?[ ](?:fassung|version|form|variante|aufgabe)\b|\betwas[ ](?:anspruchsvolleres|schwierigeres|schwereres|komplexeres)\b",
        r"\bhabe[ ]ich[^.?!\n]{0,60}\b(?:bedingung|vorgabe|auflage|einschränkung|schwierigkeit|frage|aufgabe|anweisung)\w*[^.?!\n]{0,40}\b(?:ergänzt|verschärft|erschwert|erweitert|angehoben|umgeschrieben|hinzugefügt|umformuliert)\b",
    ),
    "fr": (
        r"\b(?:consigne|demande|question|instruction|énoncé|tâche|sujet)[ ](?:d['’]origine|initiale?|originale?|de[ ]départ)\b|\bcelle[ ]d['’]origine\b",
        r"\b(?:version|forme|variante|formulation)[ ](?:\w+[ ])?plus[ ](?:difficile|exigeante|corsée|complexe|ardue|poussée)\b",
        r"\b(?:j['’]ai|nous[ ]avons)[ ](?:\w+[ ])?(?:ajouté|corsé|durci|complexifié|enrichi|reformulé|transformé|relevé|rendu)\b[^.?!\n]{0,60}(?:contrainte|condition|exigence|difficult|consigne|énoncé|demande|plus[ ]difficile)",
    ),
    "pt": (
        r"\b(?:pedido|instrução|pergunta|tarefa|enunciado|comando|solicitação)[ ](?:inicial|original|de[ ]partida)\b",
        r"\b(?:versão|forma|variante|formulação)[ ](?:\w+[ ])?mais[ ](?:difícil|exigente|complexa|desafiadora|dura|trabalhosa)\b",
        r"\b(?:acrescentei|adicionei|aumentei|elevei|reescrevi|reformulei|endureci|compliquei|tornei|transformei)\b[^.?!\n]{0,60}(?:exigênc|condiç|restriç|dificuld|mais[ ]difícil|desafi)",
    ),
    "ru": (
        r"\b(?:прежн|исходн|первоначальн|изначальн)\w{1,4}[ ](?:просьб|запрос|задани|вопрос|инструкци|формулировк|задач)\w*",
        r"\b(?:усложн[её]нн|более[ ](?:сложн|трудн|требовательн))\w{1,4}[ ](?:верси|вариант|форм|задани|задач|формулировк)\w*",
        r"\bповысил\w*[ ]сложность|\bдов[её]л\w*[ ]сложность|\b(?:я|мы)[ ](?:\w+[ ])?(?:добавил|усложнил|переписал|ужесточил|расширил|дополнил|переработал)\w*[^.?!\n]{0,60}(?:услови|требовани|ограничени|сложност|задани|просьб|запрос)",
    ),
    "it": (
        r"\b(?:richiesta|istruzione|traccia|consegna)[ ](?:iniziale|di[ ]partenza|originaria)\b",
        r"\b(?:versione|forma|variante|formulazione)[ ](?:\w+[ ])?più[ ](?:difficile|impegnativa|complessa|ardua|esigente|sfidante)\b",
        r"\b(?:ho|abbiamo)[ ](?:\w+[ ]){0,2}(?:aggiunto|reso|resa|complicato|complicata|arricchito|arricchita|riscritto|riscritta|riformulato|riformulata|alzato|inasprito|preso)\b[^.?!\n]{0,60}(?:vincol|condizion|requisit|difficolt|impegnativ|difficil|compless|richiest|consegn)",
    ),
    "ar": (
        r"(?:الطلب|السؤال|التعليمات|التعليمة|المهمة|الأمر|الصياغة)[ ](?:الأصلي|الأولي|الذي[ ]وصلني)\S{0,3}",
        r"(?:نسخة|صيغة|صورة|صياغة)[ ](?:\S+[ ])?(?:أصعب|أعقد|أكثر[ ](?:صعوبة|تعقيد|تحدي))\S{0,2}",
        r"(?:زدت|زدتُ|أضفت|أضفتُ|رفعت|عقدت|عقّدت|أدخلت|صعّبت)[^.؟!\n]{0,50}(?:تعقيد|صعوبة|قيد|قيود|شرط|شروط|تحدي)\S{0,3}",
    ),
    "hi": (
        r"(?:मूल|शुरुआती|सौंपा[ ]गया)[ ](?:\S+[ ]){0,3}(?:निर्देश|प्रश्न|सवाल|कार्य|अनुरोध|काम|माँग)",
        r"(?:कठिन|जटिल|चुनौतीपूर्ण|मुश्किल)[ ](?:संस्करण|रूप|प्रारूप|स्वरूप)",
        r"(?:शर्तें|शर्त|कठिनाई|कठिनता)[ ](?:\S+[ ]){0,2}(?:बढ़ाकर|जोड़कर|बढ़ाई|जोड़ी|जोड़[ ]दी|बढ़ा[ ]दी)",
    ),
    "vi": (
        r"(?:đề[ ]bài|yêu[ ]cầu|câu[ ]hỏi|chỉ[ ]dẫn|nhiệm[ ]vụ|câu[ ]lệnh)[ ](?:ban[ ]đầu|gốc|lúc[ ]đầu)",
        r"(?:phiên[ ]bản|dạng|bản|cách[ ]hỏi)[ ](?:khó|phức[ ]tạp|thử[ ]thách|nâng[ ]cao)[ ]?(?:hơn)?",
        r"(?:tôi|mình)[ ](?:đã[ ])?(?:thêm|nâng|chỉnh|viết[ ]lại|bổ[ ]sung|tăng)[^.?!\n]{0,40}(?:điều[ ]kiện|độ[ ]khó|ràng[ ]buộc|yêu[ ]cầu)",
    ),
    "tr": (
        r"\b(?:asıl|özgün|orijinal|elimdeki|başlangıçtaki)[ ](?:talimat|istek|soru|görev|yönerge|istem|komut)\w*",
        r"\b(?:daha[ ](?:zor|zorlu|karmaşık|çetin)|zorlaştırılmış)[ ](?:bir[ ])?(?:hâl|hal|sürüm|biçim|versiyon|görev|soru)\w*",
        r"\b(?:koşul|kısıt|şart)\w*[ ](?:\w+[ ]){0,2}(?:ekle|kat)\w*[^.?!\n]{0,30}(?:zorlaştır|güçleştir|karmaşıklaştır)\w*|\bzorlaştırdım\b",
    ),
    "id": (
        r"\b(?:instruksi|perintah|permintaan|pertanyaan|tugas|soal)(?:nya)?[ ](?:asli|aslinya|awal|awalnya|semula)\b",
        r"\b(?:versi|bentuk|rumusan)[ ](?:yang[ ])?lebih[ ](?:sulit|menantang|rumit|kompleks|berat)\b",
        r"\bhasil[ ]penulisan[ ]ulang\w*|\b(?:saya|kami)[ ](?:\w+[ ])?(?:menaikkan|menambahkan|menambah|menyisipkan|meningkatkan|mempersulit|menulis[ ]ulang)\b[^.?!\n]{0,60}(?:kesulitan|syarat|batasan|tantangan|instruksi)",
    ),
    "pl": (
        r"\b(?:pierwotn|początkow|wyjściow|oryginaln)\w{1,4}[ ](?:poleceni|pytani|zadani|prośb|instrukcj|sformułowani)\w*",
        r"\b(?:trudniejsz|bardziej[ ](?:wymagając|złożon)|ambitniejsz)\w{1,3}[ ](?:wersj|odsłon|form|wariant|zadani|postać)\w*",
        r"\b(?:doda(?:łem|łam)|wzbogaci(?:łem|łam)|utrudni(?:łem|łam)|zaostrzy(?:łem|łam)|podnios(?:łem|łam)|przerobi(?:łem|łam)|rozbudowa(?:łem|łam))\b[^.?!\n]{0,60}(?:warun|ogranicze|wymaga|trudno|poleceni|zadani)",
    ),
}
"""For each language: the original request, a harder version, and what was done to the one for the
other."""

REWRITING_TALK: dict[str, tuple[Pattern, ...]] = {
    code: tuple(map(pattern, ideas)) for code, ideas in _TALK.items()
}
"""By ISO 639-1 code; English and Korean have these beside the phrases of their tables."""
