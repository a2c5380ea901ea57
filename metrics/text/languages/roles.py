"""Tasks that set a role or ask for a message: what they are answered with is said by somebody else.

A librarian in a story may decline, and a letter may ask for documents. Neither is the model's word.
"""

from autoevol.metrics.text.languages.table import pattern

ROLE = pattern(
    r"\b(?:you[ ]are|you['’]re)[ ](?:a|an|the|now)\b|(?:\A|[.!?:]\s+|\bplease[ ])act[ ](?:as|like)[ ]|\bpretend\b|\brole[- ]?play"
    r"|\bin[ ]the[ ](?:role|voice|character|shoes)[ ]of\b|\bin[ ]character\b|\bpersona[ ]of\b|\bimpersonate\b"
    r"|\bimagine[ ](?:that[ ])?you\b|\bspeak(?:ing)?[ ]as\b"
    r"|역할(?:입니다|이다|이에요|이야|을[ ]맡|로서|로[ ](?:대답|답))|(?:이라고|라고)[ ]상상|입장에서|말투로|인[ ]척|になりきって|役[をにとの]|の立場で|ふりを|口調で"
    r"|扮演|你是(?:一)?[位名个]|的(?:身份|口吻|语气)|假装"
    r"|\bact[úu]a[ ]como\b|\beres[ ]una?\b|\bimagina[ ]que[ ]eres\b|\ben[ ]el[ ]papel[ ]de\b|\bhazte[ ]pasar\b"
    r"|\bdu[ ]bist[ ]ein|\bsie[ ]sind[ ]ein|\bin[ ]der[ ]rolle\b|\bschlüpf|\bstell[ ]dir[ ]vor,?[ ]du\b"
    r"|\b(?:tu[ ]es|vous[ ]êtes)[ ]une?\b|\bdans[ ](?:le[ ]rôle|la[ ]peau)[ ]d|\bjoue[zs]?[ ]le[ ]rôle\b|\bimaginez?[ ]que[ ](?:tu|vous)\b"
    r"|\bvocê[ ]é[ ]uma?\b|\b(?:aja|atue)[ ]como\b|\bno[ ]papel[ ]de\b|\bfinja\b|\bimagine[ ]que[ ]você\b"
    r"|\b(?:ты|вы)[ ]?[—–-]|\bпредставь(?:те)?,?[ ]что[ ](?:ты|вы)\b|\bв[ ]роли\b|\bот[ ]лица\b|\bсыграй"
    r"|\b(?:sei|tu[ ]sei)[ ]una?\b|\bnei[ ]panni\b|\bnel[ ]ruolo\b|\bfingi\b|\bimmagina[ ]di[ ]essere\b"
    r"|تخيل[ ]أنك|تقمص|بدور|بصفتك|تظاهر|(?:आप|तुम)[ ]एक[ ]|की[ ]भूमिका|बनकर"
    r"|\bđóng[ ]vai\b|\bnhập[ ]vai\b|\btrong[ ]vai\b|\bbạn[ ]là[ ]một\b|\brolünde|\bgibi[ ]davran|\bağzından\b"
    r"|\brolünü\b|\bberperan|\b(?:anda|kamu)[ ]adalah[ ]seorang\b|\bsebagai[ ]seorang\b|\bpura-pura\b"
    r"|\bwciel[ ]się\b|\bjesteś[ ]|\bw[ ]roli\b|\budawaj\b|\bwyobraź[ ]sobie,?[ ]że[ ]jesteś\b"
)

MESSAGE = pattern(
    r"mail\b|\bcorreo\b|\bcarta\b|\bmensaje\b|(?-i:\bBrief\b)|\bnachricht\b|\blettre\b|\bcourriel\b|\bmessage\b"
    r"|\bmensagem\b|\blettera\b|\bmessaggio\b|\bписьмо|\bсообщени|رسالة|पत्र[ ]लिख|ईमेल|संदेश|\b(?:bức|lá|một)[ ]thư\b|\bviết[ ]thư\b"
    r"|tin[ ]nhắn|\bmektup|\bmesaj|\bsurat\b|\bpesan\b|\bwiadomoś"
    r"|メール|手紙|返信|邮件|信件|写信|封信|短信|회신|답장|편지|메일|\bletter\b|\breply\b|\bnote\b|\btext[ ]to\b"
)
"""A task to write to somebody."""

MODEL = pattern(
    r"\b(?-i:AI|KI|IA|SI)\b|language[ ]model|modelo[ ]de|sprachmodell|modèle[ ]de|modello[ ]di|人工|言語モデル|语言模型"
    r"|언어[ ]?모델|인공지능|(?-i:\bИИ\b)|языков\w+[ ]модел|نموذج|ذكاء|मॉडल|mô[ ]hình|yapay|model[ ]bahasa|model[ ]językow"
)
"""Words by which a model speaks of itself, whatever role the task sets."""

OFFER = pattern(
    r"\A\W{0,4}(?:sure|certainly|of[ ]course|gladly|absolutely|happy[ ]to|i(?:['’]d|[ ]would)[ ]be[ ](?:glad|happy)"
    r"|claro|por[ ]supuesto|con[ ](?:mucho[ ])?gusto|gerne?\b|natürlich|selbstverständlich|avec[ ]plaisir|bien[ ]sûr|volontiers"
    r"|com[ ](?:todo[ ]o[ ])?prazer|com[ ]certeza|certo\b|volentieri|certamente|конечно|с[ ]удовольствием|хорошо[,.!]"
    r"|بكل[ ]سرور|بالطبع|بالتأكيد|ज़रूर|जरूर|बिल्कुल|vâng|dạ\b|tất[ ]nhiên|được[ ]chứ|elbette|tabii|memnuniyetle"
    r"|baik\b|tentu|dengan[ ]senang|chętnie|oczywiście|jasne\b|z[ ]przyjemnością"
    r"|承知|かしこまり|もちろん|はい[、。！]|好的|当然|没问题|네[,. ]|물론|알겠)"
)
"""An opening that offers help. A letter does not begin so: what follows is said to the user."""
