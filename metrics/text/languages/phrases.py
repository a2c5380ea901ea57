"""Phrase tables: what failures say in languages that have no whole table.

A phrase table needs an hour to write, a whole table a day. It finds what a text *says* (a refusal,
talk about rewriting), and the words that bring in a further demand; it reads no grammar.
"""

from dataclasses import dataclass
from functools import lru_cache

from autoevol.metrics.text.languages.table import Pattern, pattern
from autoevol.metrics.text.scripts import dominant_script, latin_language


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases of one language; the fields are those of `Language` with the same names.

    Attributes:
        request: A text with a match asks its reader for something.
        refusal: The opening of a reply that declines.
        leak: Talk about rewriting, prompts and instructions.
        preamble: An opening of a reply that no instruction has: it agrees, or names the answer.
        dont_know: A reply that only says that it does not know.
        asks_for_input: A reply that asks for material.
        demand: Words that bring in a further demand.
    """

    request: Pattern
    refusal: Pattern
    leak: Pattern
    preamble: Pattern
    dont_know: Pattern
    asks_for_input: Pattern
    demand: Pattern


_OPENING = r"\A\W{0,8}(?:TEXT)"
_AROUND = {
    "refusal": _OPENING,
    "preamble": _OPENING,
    "dont_know": rf"{_OPENING}[^\n]{{0,30}}\Z",
}
"""Where in a text a phrase stands; others may stand anywhere."""


def _phrases(**texts: str) -> Phrases:
    """Return a table; each text is a pattern, which is put in its place."""
    placed = {name: _AROUND.get(name, "TEXT").replace("TEXT", text) for name, text in texts.items()}
    return Phrases(**{name: pattern(text) for name, text in placed.items()})


PHRASES: dict[str, Phrases] = {
    "ja": _phrases(
        request=r"[?？]|ください|下さい|なさい|せよ|ましょう|教えて|求め[よて]|述べ[よて]|書(?:いて|け(?!ば|る|ます))|しろ|してみて|お願い|願います|こと[。.]?\s*\Z|[てで](?:ほしい|欲しい|もらえ|くれ)|たい[。.]|こと[。]",
        refusal=r"[^\n]{0,60}(?:お答え|お応え|対応|お手伝い|ご?提供)[^。\n]{0,14}(?:できません|いたしかねます|致しかねます|できかねます)|(?:私は)?AI(?:として|アシスタント|言語モデル)",
        leak=r"書き換え(?:た|られた|後の)(?:指示|プロンプト|命令)|(?:改訂された|進化した)(?:指示|プロンプト|命令)|(?:指示|命令|プロンプト)を(?:より\S{1,6})?(?:書き換え|書き直し)(?:ました|た)",
        preamble=r"はい[、。！]|もちろん(?:です|、)|承知(?:しました|いたしました)|かしこまりました|(?:答え|回答|正解|解答)[:：]",
        dont_know=r"(?:私には)?(?:わかりません|分かりません|知りません|存じません|不明です)",
        asks_for_input=r"(?:提供|共有|入力|提示|貼り付け)して(?:ください|いただけ)|(?:教えて|お知らせ|送って)(?:ください|いただけ)",
        demand=r"また|および|及び|さらに|かつ|ただし|含め|それぞれ|比較|理由|例を|少なくとも|以上|以内|条件|説明|考慮|踏まえ",
    ),
    "zh": _phrases(
        request=r"[?？]|请|写|列出|说明|解释|比较|计算|分析|设计|编写|给出|描述|概括|总结|翻译|改[写成为]|拟|制定|撰写|求|回答|指出|判断|选[出择]|完成|实现|阐述|评价|想要|需要|希望|做成|[哪怎]",
        refusal=r"[^。！？\n]{0,6}(?:抱歉|对不起|遗憾)[^。！？\n]{0,12}(?:无法|不能)|我(?:无法|不能|没有办法)(?:为您|帮您)?(?:提供|帮助|回答|协助|完成|满足)|作为(?:一个|一名)?(?:AI|人工智能|大?语言模型)[，,]",
        leak=r"(?:改写|重写|进化)(?:后|之后|过)的?(?:指令|提示词?|题目)|我(?:已经?)?把?(?:指令|提示词?)(?:改写|重写)|我(?:已经?)?(?:改写|重写)了(?:指令|提示词?|题目)",
        preamble=r"好的[，,。！]|当然(?:可以)?[，,。！]|没问题[，,。！]|(?:答案|答)(?:是|为|[:：])|解[:：]",
        dont_know=r"我?(?:不知道|不清楚|不太清楚|无从得知)",
        asks_for_input=r"请(?:您|你)?(?:先)?(?:提供|告诉我|给出|发送|补充|粘贴)|(?:您|你)(?:能|可以)(?:否)?(?:提供|告诉)|请(?:您|你)?先?把[^。！？\n]{1,30}(?:发给|告诉)我",
        demand=r"并且?|以及|同时|此外|包括|包含|分别|至少|不超过|必须|比较|说明|理由|举例|考虑|结合|每个?",
    ),
    "es": _phrases(
        request=r"[?]|\b(?:escrib|redact|explic|expliqu|calcul|describ|indi[cq]|compar|elabor|analiz|analic|resum|tradu|corri[gj]|clasifi[cq]|orden|determin|hall|encuentr|justifi[cq]|enumer|propon|propó|diseñ|crea|cree|implement|desarroll|identifi[cq]|complet|program|prepar|demuestr|resuelv|imagin|fíjate|toma|usa|da\b|haz|haga|di\b|diga|cuent|narr|reescrib|reordena|averigua)\w*|\b(?:quiero|necesito|busco|quisiera)\b|\b\w+(?:me|nos|lo|la|los|las|rme)\b(?=[ ](?:qué|cómo|por|en|el|la|un))",
        refusal=r"[^.!?\n]{0,50}\bno[ ](?:puedo|es[ ]posible)[ ](?:ayudar|proporcionar|responder|cumplir|atender|ofrecer)\w*|como[ ](?:un[ ])?(?:modelo[ ]de[ ]lenguaje|ia\b|inteligencia[ ]artificial)",
        leak=r"\b(?:instrucción|consigna|prompt)[ ](?:reescrit[ao]|mejorad[ao]|evolucionad[ao])|\bhe[ ](?:reescrito|reformulado)[ ](?:la|el|esta|este)\b|\b(?:reescribí|reformulé)[ ](?:la|el)\b",
        preamble=r"claro[,.!]|por[ ]supuesto[,.!]|desde[ ]luego[,.!]|la[ ]respuesta[ ]es\b|(?:respuesta|solución)[ ]?:",
        dont_know=r"no[ ](?:lo[ ])?sé\b|no[ ]tengo[ ]ni[ ]idea|lo[ ]desconozco",
        asks_for_input=r"por[ ]favor,?[ ](?:proporcion|indi|comp[aá]rt|env[ií]|especifi|d[ií](?:me|game)|adj[uú]nt|p[aá]s)\w*"
        r"|\b(?:podrías|puedes|podría|puede)[ ](?:proporcionar|compartir|especificar|aclarar|indicar|enviar)",
        demand=r"\b(?:y|e|además|así[ ]como|incluy\w+|incluid\w+|también|cada|al[ ]menos|debe\w*|compar\w+|justifi\w+|explic\w+"
        r"|ejemplos?|sin|teniendo[ ]en[ ]cuenta|considera\w*|detalla\w*)\b",
    ),
    "de": _phrases(
        request=r"[?]|\bbitte\w*|\b(?:schreib|verfass|erklär|erläuter|berechn|beschreib|vergleich|analysier|fass|übersetz|korrigier|ordne|sortier|bestimm|ermittl|begründ|nenn|zähl|entwirf|entwerf|erstell|entwickl|gib|geben[ ]sie|löse|lösen[ ]sie|zeig|stell|mach|formulier|forme|stelle|finde|finden[ ]sie|liste|skizzier|programmier|implementier|prüf|untersuch|überleg|wähl|rechne|leite)(?:e|en[ ]sie|n[ ]sie)?\b|\b(?:gesucht|brauche|möchte|hätte[ ]gern|erzähl|nimm|setz|bleib|liefer|lass)\w*",
        refusal=r"[^.!?\n]{0,50}\b(?:kann[ ]ich|ich[ ]kann)[^.!?\n]{0,40}\bnicht[ ](?:weiter)?(?:helfen|behilflich[ ]sein|beantworten|bereitstellen|erfüllen|nachkommen|liefern|unterstützen)|als[ ](?:eine?[ ])?(?:ki\b|künstliche[ ]intelligenz|sprachmodell)",
        leak=r"\b(?:umgeschriebene|überarbeitete|weiterentwickelte)[rns]?[ ](?:anweisung|instruktion|prompt|aufgabenstellung)|\bich[ ]habe[^.?!\n]{0,20}(?:anweisung|aufgabe|prompt)[^.?!\n]{0,20}(?:umgeschrieben|umformuliert)\b",
        preamble=r"natürlich[,.!]|gerne?[,.!]|selbstverständlich[,.!]|klar[,.!]|die[ ]antwort[ ](?:ist|lautet)|(?:antwort|lösung)[ ]?:",
        dont_know=r"(?:das[ ])?weiß[ ]ich[ ](?:leider[ ])?nicht|ich[ ]weiß[ ](?:es[ ]|das[ ])?(?:leider[ ])?nicht|keine[ ]ahnung",
        asks_for_input=r"\bbitte[ ](?:gib|geben[ ]sie|teile?n?|sende?n?|nenne?n?|schicke?n?|füge?n?)\b"
        r"|\b(?:schicken|senden|geben|nennen|teilen)[ ]sie[ ](?:mir[ ])?(?:bitte|zuerst|zunächst)\b|\b(?:könntest[ ]du|können[ ]sie|kannst[ ]du|könnten[ ]sie)[ ](?:mir|bitte|den|die|das)\b",
        demand=r"\b(?:und|sowie|außerdem|zudem|einschließlich|auch|jede[nrsm]?|mindestens|höchstens|muss|müssen|soll|sollen|vergleich\w*"
        r"|begründ\w*|erklär\w*|erläuter\w*|beispiele?n?|ohne|wobei|indem|berücksichtig\w*|nenn\w*)\b",
    ),
    "fr": _phrases(
        request=r"[?]|\b(?:écri|rédig|expliqu|calcul|décri|compar|analys|résum|tradui|corrig|class|ordonn|détermin|trouv|justifi|énumèr|énumér|propos|conce|conçoi|cré|implément|développ|identifi|complèt|complét|programm|prépar|démontr|résou|imagin|donn|list|indiqu|cit|dress|transform|reformul|établi|veuillez|montr|précis|présent|racont)\w*|\b(?:je[ ]veux|il[ ]me[ ]fau\w+|j['’]ai[ ]besoin|je[ ]cherche|j['’]aimerais)\b|\w-(?:moi|lui|nous|leur|le|la|les)\b",
        refusal=r"[^.!?\n]{0,50}\bje[ ]ne[ ](?:peux|puis|suis)[ ]pas[ ](?:en[ ]mesure[ ]de?[ ]?)?(?:vous[ ]|t['’]|y[ ])?(?:aider|répondre|fournir|donner[ ]suite|satisfaire|traiter|accéder)|[^.!?\n]{0,40}il[ ]ne[ ]m['’]est[ ]pas[ ]possible[ ]de|en[ ]tant[ ]qu[e'’][ ]?(?:ia\b|intelligence[ ]artificielle|modèle[ ]de[ ]langage)",
        leak=r"\b(?:instruction|consigne|prompt)[ ](?:réécrit|améliorée?|évoluée?)|\b(?:instruction|consigne|prompt)[ ]réécrite?\b|\bj['’]ai[ ](?:réécrit|reformulé)[ ](?:l['’]|la[ ]|cette[ ])",
        preamble=r"bien[ ]sûr[,.!]|certainement[,.!]|avec[ ]plaisir[,.!]|d['’]accord[,.!]|la[ ]réponse[ ]est\b|(?:réponse|solution)[ ]?:",
        dont_know=r"je[ ]ne[ ]sais[ ]pas|je[ ]l['’]ignore|aucune[ ]idée",
        asks_for_input=r"\b(?:veuillez|merci[ ]de)[ ](?:me[ ])?(?:fournir|préciser|partager|indiquer|envoyer|communiquer)"
        r"|\b(?:pourriez|pouvez|peux|pourrais)-(?:vous|tu)[ ](?:me[ ]|m['’])?(?:fournir|préciser|partager|indiquer|donner|envoyer)",
        demand=r"\b(?:et|ainsi[ ]que|puis|inclu\w+|notamment|aussi|également|chaque|chacun\w*|au[ ]moins|doi\w+|compar\w+|justifi\w+|expliqu\w+"
        r"|exemples?|sans|en[ ]tenant[ ]compte|précis\w+|détaill\w+)\b",
    ),
    "pt": _phrases(
        request=r"[?]|\b(?:escrev|redij|redig|expliq|explic|calcul|descrev|compar|elabor|analis|resum|traduz|corrij|corrig|classifi[cq]|orden|determin|encontr|justifi[cq]|enumer|propon|crie|cria|implement|desenvolv|identifi[cq]|complet|program|prepar|demonstr|resolv|imagin|dê|faça|diga|liste|monte|apresente|reescrev|transforme|cite|indique|mostre|conte|narre|descubra)\w*|\b(?:quero|preciso|gostaria|organize|ponha|coloque|procuro)\b",
        refusal=r"[^.!?\n]{0,50}\bnão[ ]posso[ ](?:ajudar|fornecer|responder|atender|cumprir)\w*|como[ ](?:uma?[ ])?(?:ia\b|inteligência[ ]artificial|modelo[ ]de[ ]linguagem)",
        leak=r"\b(?:instrução|prompt|comando)[ ](?:reescrit[ao]|evoluíd[ao]|melhorad[ao])|\b(?:reescrevi|reformulei)[ ][oa]\b",
        preamble=r"claro[,.!]|com[ ]certeza[,.!]|certamente[,.!]|a[ ]resposta[ ]é\b|(?:resposta|solução)[ ]?:",
        dont_know=r"(?:eu[ ])?não[ ]sei\b|não[ ]faço[ ]ideia",
        asks_for_input=r"por[ ]favor,?[ ](?:forneça|informe|compartilhe|envie|especifique|diga|indique)"
        r"|\b(?:você[ ])?(?:poderia|pode|podia)[ ](?:me[ ])?(?:fornecer|compartilhar|especificar|esclarecer|informar|enviar)",
        demand=r"\b(?:e|além[ ]d\w+|bem[ ]como|assim[ ]como|inclu\w+|também|cada|pelo[ ]menos|no[ ]máximo|deve\w*|compar\w+|justifi\w+|expli\w+"
        r"|exemplos?|sem|considerando|levando[ ]em[ ]conta|detalh\w+)\b",
    ),
    "it": _phrases(
        request=r"[?]|\b(?:scriv|redig|spieg|calcol|descriv|confront|elabor|analizz|riassum|traduc|corregg|classific|ordin|determin|trov|giustific|elenc|propon|progett|crea|implement|svilupp|identific|complet|programm|prepar|dimostr|risolv|immagin|dai\b|fai\b|indic|compon|trasform|riscriv|mostr|racconta|illustra|stabilisci|presenta)\w*|\b(?:vorrei|voglio|mi[ ]serve|cerco|fingi|chiudi|salvate)\b",
        refusal=r"[^.!?\n]{0,50}\bnon[ ]posso[ ](?:aiutar|fornir|risponder|soddisfar|svolger)\w*|in[ ]quanto[ ](?:ia\b|intelligenza[ ]artificiale|modello[ ]linguistico)|come[ ]modello[ ]linguistico",
        leak=r"\b(?:istruzione|consegna|prompt)[ ](?:riscritt[ao]|evolut[ao]|migliorat[ao])|\bho[ ](?:riscritto|riformulato)[ ](?:l['’]|la|il|questa)",
        preamble=r"certo[,.!]|certamente[,.!]|volentieri[,.!]|d['’]accordo[,.!]|la[ ]risposta[ ]è\b|(?:risposta|soluzione)[ ]?:",
        dont_know=r"non[ ](?:lo[ ])?so\b|non[ ]ne[ ]ho[ ]idea",
        asks_for_input=r"per[ ]favore,?[ ](?:forni|indica|condividi|invia|specifica|dimmi)\w*|\b(?:potresti|puoi|potrebbe|può)[ ](?:\w+[ ]){0,2}(?:fornir|condivider|specificar|chiarir|indicar|inviar)\w*",
        demand=r"\b(?:e|ed|nonché|inoltre|inclus\w+|includ\w+|anche|ogni|ciascun\w*|almeno|al[ ]massimo|deve|devono|confront\w+|giustific\w+|spieg\w+"
        r"|esempi\w*|senza|tenendo[ ]conto|considerando|precisa\w*)\b",
    ),
    "ru": _phrases(
        request=r"[?]|\b(?:напиш|состав|объясн|вычисл|рассчита|опиш|сравн|проанализ|перевед|исправ|классифи|упоряд|определ|найд|обосн|перечисл|предлож|спроект|созда|реализ|разработ|назов|заполн|приведи|докаж|реш[иа]|представ|дайте?|выстро|передай|пересказ|расскаж|выпиш|расстав|укаж|подбер|придума|добав|сформулир|изложи|вырази|покажи|постро)\w*|\b(?:нужен|нужна|нужно|нужны|хочу|требуется)\b",
        refusal=r"[^.!?\n]{0,50}\bне[ ](?:могу|в[ ]состоянии)[ ](?:вам[ ])?(?:помочь|ответить|выполнить|предоставить)|как[ ](?:ии\b|искусственный[ ]интеллект|языковая[ ]модель)",
        leak=r"\b(?:переписанн|улучшенн|усложнённ|усложненн)\w{1,4}[ ](?:инструкци|промпт|задани)\w*|\bя[ ](?:переписал|переформулировал)а?\b",
        preamble=r"конечно[,.!]|разумеется[,.!]|хорошо[,.!]|ответ[ ]?:|решение[ ]?:|правильный[ ]ответ[ ]?[:—]",
        dont_know=r"(?:я[ ])?(?:этого[ ])?не[ ]знаю|понятия[ ]не[ ]имею|мне[ ]неизвестно",
        asks_for_input=r"\bпожалуйста,?[ ](?:предоставь|укажи|пришли|уточни|поделись|отправь|сообщи)\w*|\b(?:пришлите|отправьте|предоставьте|укажите|сообщите),?[ ]пожалуйста|\b(?:не[ ]могли[ ]бы[ ]вы|можете|можешь)[ ](?:предоставить|уточнить|указать|прислать)",
        demand=r"\b(?:и|а[ ]также|кроме[ ]того|включа\w+|также|кажд\w+|не[ ]менее|не[ ]более|должн\w+|сравни\w*|обоснуй\w*|объясни\w*|приведи\w*|пример\w*|без|учитыва\w+|укажи\w*)\b",
    ),
    "ar": _phrases(
        request=r"[?؟]|(?<!\w)[وف]?(?:اكتب|ألّ?ف|اشرح|احسب|صف\b|قارن|حل[ّل]|حلّل|لخ[ّص]|ترجم|صح[ّح]|صن[ّف]|رت[ّب]|حد[ّد]|أوجد|برهن|اذكر|عد[ّد]|اقترح|صم[ّم]|أنشئ|طو[ّر]|أكمل|أعد\b|ضع|قد[ّم]|بي[ّن]|وض[ّح]|استخرج|خط[ّط]|فس[ّر]|ناقش|عل[ّل]|حو[ّل]|تخي[ّل]|أعط|اختر|جد\b|استعمل|استخدم)|أريد|أحتاج|أودّ?|فكيف",
        refusal=r"[^.!؟\n]{0,50}لا[ ](?:أستطيع|يمكنني)[ ](?:المساعدة|مساعدت|تقديم|الإجابة|تلبية|تنفيذ)|بصفتي[ ](?:نموذج|ذكاء)|كنموذج[ ]لغ",
        leak=r"(?:التعليمات|التعليمة|الموجه)[ ](?:المعاد|المحسن)\w*|النسخة[ ]المعد\S{1,4}[ ]من[ ]التعليم\S{1,3}|أعدت[ ]صياغة[ ](?:التعليمات|التعليمة)",
        preamble=r"بالطبع[،,.!]|بالتأكيد[،,.!]|حسن[اًا]{1,2}[،,.!]|(?:الإجابة|الجواب|الحل)[ ]?:",
        dont_know=r"لا[ ]أعرف|لا[ ]أعلم|لا[ ]أدري",
        asks_for_input=r"(?:يرجى|من[ ]فضلك)[ ،,]{0,2}(?:تقديم|تزويد|إرسال|توضيح|مشاركة|زودني|أرسل|وضح)|هل[ ]يمكنك[ ](?:تزويد|تقديم|توضيح|إرسال)",
        demand=r"(?:\bو\w+|بالإضافة|بما[ ]في[ ]ذلك|أيض[اًا]|كل\b|على[ ]الأقل|لا[ ]يزيد|يجب|قارن|مقارنة|اشرح|شرح|أمثلة|مثال|بدون|دون|مع[ ]مراعاة|تشمل)",
    ),
    "hi": _phrases(
        request=r"[?]|(?:लिखिए|लिखें|लिखो|कीजिए|करें|करो|बताइए|बताएँ|बताएं|समझाइए|समझाएँ|समझाएं|दीजिए|दें\b|बनाइए|बनाएँ|बनाएं|निकालिए|निकालें|खोजिए|सुझाइए|चुनिए|जोड़िए|रखिए|दिखाइए|कर[ ]दीजिए|ज्ञात|तैयार)|चाहिए|चाहता|चाहती|लिखो|दो[।]",
        refusal=r"[^।!?\n]{0,60}(?:मदद|सहायता|उत्तर|पूरा)[^।!?\n]{0,20}नहीं[ ](?:कर|दे)[ ]सकत",
        leak=r"(?:पुनर्लिखित|विकसित)[ ](?:निर्देश|प्रॉम्प्ट)|निर्देश[^।?!\n]{0,30}(?:पुनर्लेखन|फिर[ ]से[ ]लिखा)",
        preamble=r"ज़रूर[,।!]|जरूर[,।!]|बिल्कुल[,।!]|निश्चित[ ]रूप[ ]से[,।!]|हाँ,|उत्तर[ ]?:|हल[ ]?:",
        dont_know=r"(?:मुझे[ ])?(?:नहीं[ ]पता|पता[ ]नहीं|मालूम[ ]नहीं|नहीं[ ]मालूम)",
        asks_for_input=r"कृपया[ ](?:\S{1,20}[ ]){0,4}(?:प्रदान[ ]करें|बताएँ|बताएं|बताइए|साझा[ ](?:करें|कीजिए)|भेजें|भेज[ ]?(?:दीजिए|दें)|भेजिए|दें|दीजिए)|क्या[ ]आप[ ](?:\S{1,20}[ ]){0,4}(?:बता|दे|साझा[ ]कर)[ ]सकते",
        demand=r"(?:और|तथा|साथ[ ]ही|सहित|शामिल|भी|प्रत्येक|हर[ ]एक|कम[ ]से[ ]कम|अधिकतम|तुलना|समझाइए|समझाएँ|स्पष्ट|कारण|उदाहरण|बिना|ध्यान[ ]में)",
    ),
    "vi": _phrases(
        request=r"[?]|(?:hãy|viết|soạn|giải[ ]thích|tính|mô[ ]tả|so[ ]sánh|phân[ ]tích|tóm[ ]tắt|dịch|sửa|phân[ ]loại|sắp[ ]xếp|xác[ ]định|tìm|chứng[ ]minh|liệt[ ]kê|đề[ ]xuất|thiết[ ]kế|tạo|xây[ ]dựng|lập|nêu|cho[ ]biết|trình[ ]bày|kể|hoàn[ ]thành|chọn|giải\b|đặt|vui[ ]lòng|yêu[ ]cầu)|cần|muốn|mong",
        refusal=r"[^.!?\n]{0,50}tôi[ ]không[ ]thể[ ](?:giúp|hỗ[ ]trợ|cung[ ]cấp|trả[ ]lời|thực[ ]hiện|đáp[ ]ứng)|là[ ]một[ ](?:mô[ ]hình[ ]ngôn[ ]ngữ|trí[ ]tuệ[ ]nhân[ ]tạo)",
        leak=r"(?:hướng[ ]dẫn|chỉ[ ]dẫn|lời[ ]nhắc|câu[ ]lệnh)[ ]đã[ ](?:được[ ])?viết[ ]lại|tôi[ ]đã[ ]viết[ ]lại",
        preamble=r"vâng[,.!]|chắc[ ]chắn[ ]rồi[,.!]|dĩ[ ]nhiên[,.!]|tất[ ]nhiên[,.!]|(?:câu[ ]trả[ ]lời|đáp[ ]án|lời[ ]giải)[ ]?:",
        dont_know=r"tôi[ ]không[ ]biết|không[ ]rõ",
        asks_for_input=r"(?:vui[ ]lòng|hãy|xin)[ ](?:cung[ ]cấp|chia[ ]sẻ|cho[ ](?:tôi|mình)[ ]biết|gửi[ ]cho)|bạn[ ]có[ ]thể[ ](?:cung[ ]cấp|chia[ ]sẻ|cho[ ](?:tôi|mình)[ ]biết|nói[ ]rõ)",
        demand=r"(?:\bvà\b|cũng[ ]như|đồng[ ]thời|bao[ ]gồm|ngoài[ ]ra|mỗi|ít[ ]nhất|tối[ ]đa|không[ ]quá|phải|so[ ]sánh|giải[ ]thích|lý[ ]do|ví[ ]dụ|không[ ]dùng|kèm|xem[ ]xét)",
    ),
    "tr": _phrases(
        request=r"[?]|\b\w*(?:yaz|açıkla|hesapla|tanımla|betimle|karşılaştır|incele|çözümle|özetle|çevir|düzelt|sınıflandır|sırala|belirle|bul|kanıtla|listele|öner|tasarla|oluştur|geliştir|hazırla|ver|göster|anlat|tamamla|seç|kur|dönüştür|düzenle|say|tartış|yorumla|planla|kurgula|uyarla|sun)(?:[ıiuü]n(?:[ıiuü]z)?|[yıiuü]{1,2}n(?:[ıiuü]z)?)?(?=[\s.,;:!]|\Z)|\b(?:istiyorum|lazım|gerek|isterim)\b",
        refusal=r"[^.!?\n]{0,60}(?:yardımcı[ ]olam|yardım[ ]edem|yanıtlayam|karşılayam|yerine[ ]getirem)\w*|bir[ ](?:yapay[ ]zek[âa]|dil[ ]modeli)[ ]olarak",
        leak=r"\byeniden[ ]yazılmış[ ](?:talimat|yönerge|istem)\w*|\b(?:talimatı|yönergeyi|istemi)[ ]yeniden[ ]yazdım|\byeniden[ ]yazdım\b",
        preamble=r"elbette[,.!]|tabii[,.!]|tabii[ ]ki[,.!]|memnuniyetle[,.!]|(?:cevap|yanıt|çözüm)[ ]?:",
        dont_know=r"bilmiyorum|bilemiyorum|hiçbir[ ]fikrim[ ]yok",
        asks_for_input=r"\blütfen[ ](?:\w+[ ]){0,4}(?:sağlayın|paylaşın|gönderin|belirtin|verin|yazın)|\b(?:\w+[ ]){0,4}(?:(?:paylaşı|belirti|gönderi)r|(?:paylaş|belirt|gönder|ver|açıkla|ilet)(?:ebil|abil)ir|açıklar)[ ]m[ıi]s[ıi]n[ıi]z",
        demand=r"\b(?:ve|ayrıca|dahil|da|de|her[ ]biri\w*|en[ ]az|en[ ]fazla|gerek\w*|karşılaştır\w*|açıkla\w*|neden\w*|örnek\w*|olmadan|kullanmadan|içeren|göz[ ]önünde)\b",
    ),
    "id": _phrases(
        request=r"[?]|\b(?:tulis|susun|jelaskan|hitung|gambarkan|bandingkan|analisis|ringkas|terjemahkan|perbaiki|kelompokkan|klasifikasikan|urutkan|tentukan|carilah|cari\b|buktikan|sebutkan|usulkan|rancang|buat|kembangkan|lengkapi|beri\b|berikan|berilah|uraikan|ceritakan|paparkan|rumuskan|ubah|nyatakan|daftarkan|identifikasi|pilih|tunjukkan|implementasikan|siapkan|sajikan|bayangkan|ungkapkan)\w*|\b(?:butuh|perlu|ingin|mohon|tolong)\b|\b\w{3,}kan\b",
        refusal=r"[^.!?\n]{0,50}saya[ ]tidak[ ](?:bisa|dapat)[ ](?:membantu|memberikan|menjawab|memenuhi|melayani)|sebagai[ ](?:sebuah[ ])?(?:ai\b|kecerdasan[ ]buatan|model[ ]bahasa)",
        leak=r"\b(?:instruksi|perintah|prompt)[ ]yang[ ](?:ditulis[ ]ulang|diperbarui)|\bpenulisan[ ]ulang[ ](?:instruksi|perintah)",
        preamble=r"tentu(?:[ ]saja)?[,.!]|baik[,.!]|baiklah[,.!]|dengan[ ]senang[ ]hati[,.!]|(?:jawaban|solusi)[ ]?:",
        dont_know=r"(?:saya[ ])?tidak[ ]tahu|entahlah",
        asks_for_input=r"\b(?:mohon|silakan|tolong)[ ](?:berikan|bagikan|sebutkan|kirimkan|jelaskan[ ]lebih)|\b(?:bisakah|dapatkah)[ ]anda[ ](?:memberikan|membagikan|menjelaskan|mengirim)",
        demand=r"\b(?:dan|serta|juga|termasuk|selain[ ]itu|setiap|masing-masing|minimal|paling[ ](?:sedikit|banyak)|harus|bandingkan|jelaskan|alasan\w*|contoh|tanpa|dengan[ ]mempertimbangkan|sertakan)\b",
    ),
    "pl": _phrases(
        request=r"[?]|\b(?:napisz|ułóż|wyjaśnij|oblicz|opisz|porównaj|przeanalizuj|streść|przetłumacz|popraw|sklasyfikuj|uporządkuj|określ|znajdź|udowodnij|wymień|zaproponuj|zaprojektuj|stwórz|utwórz|opracuj|podaj|uzasadnij|uzupełnij|przedstaw|wskaż|zredaguj|sporządź|rozwiąż|omów|opowiedz|wypisz|przekształć|zapisz|wyznacz|ustal|proszę|przygotuj|zaplanuj|nazwij|zamień|wytłumacz|wylicz|dobierz|posortuj|zaimplementuj|przedstawcie|napiszcie)\w*|\b(?:potrzebuj|chc[ęe]|szukam|chciał)\w*",
        refusal=r"[^.!?\n]{0,50}\bnie[ ]mogę[ ](?:\w+[ ])?(?:pomóc|udzielić|odpowiedzieć|spełnić|zrealizować)|jako[ ](?:si\b|sztuczna[ ]inteligencja|model[ ]językowy)",
        leak=r"\b(?:przepisan|ulepszon)\w{1,3}[ ](?:instrukcj|polecen|prompt)\w*|\bprzepisa(?:łem|łam)[ ](?:instrukcję|polecenie)|\b(?:przekształcon|przeformułowan)\w{1,3}[^.?!\n]{0,30}wersj\w{1,2}[^.?!\n]{0,20}(?:polecen|instrukcj)",
        preamble=r"oczywiście[,.!]|jasne[,.!]|z[ ]przyjemnością[,.!]|(?:odpowiedź|rozwiązanie)[ ]?:",
        dont_know=r"nie[ ]wiem\b|nie[ ]mam[ ]pojęcia",
        asks_for_input=r"\bproszę[ ](?:tylko[ ]|najpierw[ ]|mi[ ])?(?:o[ ])?(?:podać|podanie|udostępni\w*|przesła\w*|sprecyzowa\w*|wskaza\w*)|\bczy[ ](?:możesz|mógłbyś|mogłabyś|może[ ]pan\w*)[ ](?:podać|udostępnić|przesłać|doprecyzować)",
        demand=r"\b(?:i|oraz|a[ ]także|ponadto|w[ ]tym|również|każd\w+|co[ ]najmniej|najwyżej|musi|powinn\w+|porówna\w*|uzasadni\w*|wyjaśni\w*|przykład\w*|bez|uwzględni\w*|poda\w*)\b",
    ),
}
"""By ISO 639-1 code."""

_BY_SCRIPT = {"kana": "ja", "han": "zh", "cyrillic": "ru", "arabic": "ar", "devanagari": "hi"}


def phrases_of(text: str) -> Phrases | None:
    """Return the phrases of a text's language; None: it has a whole table, or none at all."""
    return PHRASES.get(code_of(text))


@lru_cache(maxsize=512)
def code_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, among those with phrases; "": another."""
    script = dominant_script(text)
    code = latin_language(text) if script == "latin" else _BY_SCRIPT.get(script or "")
    return code if code in PHRASES else ""
