"""Good and bad rows in the languages of which only phrases are known."""

from collections.abc import Iterable
from typing import NamedTuple

import pytest

from autoevol.metrics import Case, Reason, broken, compose, fails
from autoevol.metrics.failure.drift import language_drift
from autoevol.metrics.failure.lost_content import lost_material
from autoevol.metrics.text.languages import language_of, speech_of
from autoevol.metrics.text.languages.phrases import PHRASES
from autoevol.metrics.text.wording import words


class Sample(NamedTuple):
    """Texts of one language.

    Attributes:
        seed: An instruction.
        good: A harder version of it in other words.
        leak: A rewrite that talks about rewriting.
        agreed: A rewrite that replies instead.
        refused: A response that declines.
        unknown: A response that does not know.
        question: A response that asks for material.
    """

    seed: str
    good: str
    leak: str
    agreed: str
    refused: str
    unknown: str
    question: str


SAMPLES = {
    "ja": Sample(
        "小さな港町の市場について短い文章を書いてください。",
        "海辺の町で開かれる朝市を題材に、売り手と客の会話を二つ含め、匂いと音をそれぞれ一文で描写した三百字以内の文章を作成してください。",
        "書き換えられた指示：海辺の町の朝市について三百字で文章を書いてください。",
        "もちろんです。小さな港町の市場は朝早くから人でにぎわい、魚の匂いがします。",
        "申し訳ありませんが、そのご依頼にはお答えできません。",
        "わかりません。",
        "まず、要約したい文章を提供してください。",
    ),
    "zh": Sample(
        "请写一段关于海边小镇集市的短文。",
        "以滨海小城的早市为题材，写一篇不超过三百字的短文，其中必须包含两段买卖双方的对话，并分别用一句话描写气味和声音。",
        "改写后的指令：以滨海小城的早市为题材写一篇三百字的短文。",
        "好的，海边小镇的集市一大早就热闹起来，到处都是鱼的味道。",
        "抱歉，我无法提供这方面的帮助。",
        "我不知道。",
        "请先提供您想要总结的文章。",
    ),
    "es": Sample(
        "Escribe un texto breve sobre el mercado de un pueblo costero.",
        "Redacta una crónica de no más de trescientas palabras acerca de la lonja de una villa marinera, "
        "con dos diálogos entre vendedores y clientes, y compara su ambiente al amanecer con el de la noche.",
        "Instrucción reescrita: redacta una crónica de trescientas palabras acerca de la lonja del pueblo.",
        "Claro, el mercado del pueblo costero abre muy temprano y huele a pescado fresco.",
        "Lo siento, pero no puedo ayudar con esa petición.",
        "No lo sé.",
        "Por favor, proporciona el texto que quieres resumir.",
    ),
    "de": Sample(
        "Schreibe einen kurzen Text über den Markt in einer kleinen Hafenstadt.",
        "Verfasse eine Reportage von höchstens dreihundert Wörtern über das Treiben am Kai eines Fischerorts, "
        "die zwei Gespräche zwischen Händlern und Kunden enthält und den Morgen mit dem Abend vergleicht.",
        "Umgeschriebene Anweisung: Verfasse eine Reportage von dreihundert Wörtern über das Treiben am Kai.",
        "Natürlich, der Markt in der kleinen Hafenstadt beginnt früh am Morgen und riecht nach Fisch.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Das weiß ich leider nicht.",
        "Bitte teile mir zuerst den Text mit, den ich zusammenfassen soll.",
    ),
    "fr": Sample(
        "Écris un court texte sur le marché d'une petite ville portuaire.",
        "Rédige une chronique d'au plus trois cents mots sur la criée d'une cité de pêcheurs, avec deux "
        "dialogues entre vendeurs et clients, et compare son ambiance à l'aube avec celle du soir.",
        "Instruction réécrite : rédige une chronique de trois cents mots sur la criée de cette cité.",
        "Bien sûr, le marché de la petite ville portuaire ouvre très tôt et sent le poisson frais.",
        "Je suis désolé, mais je ne peux pas répondre à cette demande.",
        "Je ne sais pas.",
        "Veuillez me fournir le texte que vous souhaitez résumer.",
    ),
    "pt": Sample(
        "Escreva um texto curto sobre o mercado de uma pequena cidade portuária.",
        "Redija uma crônica de no máximo trezentas palavras acerca da lota de uma vila de pescadores, com dois "
        "diálogos entre vendedores e fregueses, e compare o ambiente da madrugada com o da noite.",
        "Instrução reescrita: redija uma crônica de trezentas palavras acerca da lota de uma vila.",
        "Claro, o mercado da pequena cidade portuária abre muito cedo e tem cheiro de peixe fresco.",
        "Desculpe, mas não posso ajudar com esse pedido.",
        "Não sei.",
        "Por favor, forneça o texto que você deseja resumir.",
    ),
    "it": Sample(
        "Scrivi un breve testo sul mercato di una piccola città portuale.",
        "Componi una cronaca di al massimo trecento parole sul mercato ittico di un borgo marinaro, con due "
        "dialoghi tra venditori e clienti, e confronta l'atmosfera dell'alba con quella della sera.",
        "Istruzione riscritta: componi una cronaca di trecento parole sul mercato ittico di un borgo.",
        "Certo, il mercato della piccola città portuale apre molto presto e profuma di pesce fresco.",
        "Mi dispiace, ma non posso soddisfare questa richiesta.",
        "Non lo so.",
        "Per favore, fornisci il testo che vuoi riassumere.",
    ),
    "ru": Sample(
        "Напиши короткий текст о рынке в маленьком портовом городе.",
        "Составь очерк объёмом не более трёхсот слов о торговых рядах рыбацкого посёлка, включи в него два "
        "диалога продавцов с покупателями и сравни утреннюю атмосферу с вечерней.",
        "Переписанная инструкция: составь очерк в триста слов о торговых рядах рыбацкого посёлка.",
        "Конечно, рынок в маленьком портовом городе открывается рано утром и пахнет рыбой.",
        "К сожалению, я не могу помочь с этим запросом.",
        "Я не знаю.",
        "Пожалуйста, предоставьте текст, который нужно сократить.",
    ),
    "ar": Sample(
        "اكتب نصا قصيرا عن السوق في مدينة ساحلية صغيرة.",
        "ألّف مقالة لا يزيد طولها على ثلاثمئة كلمة عن حلقة السمك في بلدة الصيادين، تشمل حوارين بين الباعة "
        "والزبائن، وقارن أجواء الفجر بأجواء المساء مع مراعاة الأصوات والروائح.",
        "التعليمات المعاد صياغتها: ألّف مقالة من ثلاثمئة كلمة عن حلقة السمك في البلدة.",
        "بالطبع، يفتح السوق في المدينة الساحلية الصغيرة أبوابه باكرا وتفوح منه رائحة السمك.",
        "عذرا، لا أستطيع المساعدة في هذا الطلب.",
        "لا أعرف.",
        "يرجى تزويدي بالنص الذي تريد تلخيصه.",
    ),
    "hi": Sample(
        "एक छोटे बंदरगाह शहर के बाज़ार पर एक छोटा लेख लिखिए।",
        "मछुआरों की बस्ती की सुबह की मंडी पर अधिकतम तीन सौ शब्दों का वर्णन तैयार कीजिए, जिसमें विक्रेताओं और ग्राहकों के दो संवाद "
        "शामिल हों, और भोर के माहौल की तुलना शाम से कीजिए।",
        "पुनर्लिखित निर्देश: मछुआरों की बस्ती की सुबह की मंडी पर तीन सौ शब्दों का वर्णन तैयार कीजिए।",
        "ज़रूर, छोटे बंदरगाह शहर का बाज़ार सुबह जल्दी खुलता है और वहाँ मछली की गंध आती है।",
        "क्षमा करें, मैं इस अनुरोध में मदद नहीं कर सकता।",
        "मुझे नहीं पता।",
        "कृपया वह लेख प्रदान करें जिसका सार चाहिए।",
    ),
    "vi": Sample(
        "Hãy viết một đoạn văn ngắn về khu chợ ở một thị trấn cảng nhỏ.",
        "Soạn một bài ký không quá ba trăm chữ về phiên chợ cá của làng chài, trong đó có hai đoạn đối thoại "
        "giữa người bán và khách hàng, đồng thời so sánh không khí lúc bình minh với buổi tối.",
        "Hướng dẫn đã được viết lại: soạn một bài ký ba trăm chữ về phiên chợ cá của làng chài.",
        "Dĩ nhiên, khu chợ ở thị trấn cảng nhỏ mở cửa từ rất sớm và đầy mùi cá tươi.",
        "Xin lỗi, tôi không thể giúp với yêu cầu này.",
        "Tôi không biết.",
        "Vui lòng cung cấp đoạn văn mà bạn muốn tóm tắt.",
    ),
    "tr": Sample(
        "Küçük bir liman kasabasının pazarı hakkında kısa bir metin yaz.",
        "Balıkçı köyünün sabah tezgâhlarını anlatan, en fazla üç yüz kelimelik bir gezi yazısı hazırla; satıcılarla "
        "müşteriler arasında iki konuşma bulunsun ve şafak vaktini akşamla karşılaştır.",
        "Yeniden yazılmış talimat: balıkçı köyünün sabah tezgâhlarını anlatan üç yüz kelimelik bir yazı hazırla.",
        "Elbette, küçük liman kasabasının pazarı sabah çok erken açılır ve taze balık kokar.",
        "Üzgünüm, bu isteğe yardımcı olamam.",
        "Bilmiyorum.",
        "Lütfen özetlememi istediğiniz metni paylaşın.",
    ),
    "id": Sample(
        "Tulislah teks singkat tentang pasar di sebuah kota pelabuhan kecil.",
        "Susunlah catatan perjalanan paling banyak tiga ratus kata mengenai pelelangan ikan di kampung nelayan, "
        "sertakan dua percakapan antara penjual dan pembeli, lalu bandingkan suasana subuh dengan malam hari.",
        "Instruksi yang ditulis ulang: susunlah catatan tiga ratus kata mengenai pelelangan ikan itu.",
        "Tentu, pasar di kota pelabuhan kecil itu buka sejak pagi dan berbau ikan segar.",
        "Maaf, saya tidak dapat membantu permintaan itu.",
        "Saya tidak tahu.",
        "Mohon berikan teks yang ingin Anda ringkas.",
    ),
    "pl": Sample(
        "Napisz krótki tekst o targu w małym mieście portowym.",
        "Ułóż reportaż liczący najwyżej trzysta słów o hali rybnej w osadzie rybackiej, zawrzyj w nim dwie rozmowy "
        "sprzedawców z klientami oraz porównaj nastrój świtu z nastrojem wieczoru.",
        "Przepisana instrukcja: ułóż reportaż liczący trzysta słów o hali rybnej w osadzie rybackiej.",
        "Oczywiście, targ w małym mieście portowym zaczyna się bardzo wcześnie i pachnie rybami.",
        "Przepraszam, ale nie mogę pomóc w tej sprawie.",
        "Nie wiem.",
        "Proszę podać tekst, który mam streścić.",
    ),
}

EVOLVE, RESPOND = compose(["strict"], "evolve"), compose(["strict"], "respond")


def names(reasons: Iterable[Reason]) -> set[str]:
    return {reason.rule for reason in reasons}


def test_every_language_has_a_sample() -> None:
    assert set(SAMPLES) == set(PHRASES)


@pytest.mark.parametrize("code", SAMPLES)
def test_the_language_is_told_apart(code: str) -> None:
    sample = SAMPLES[code]
    for text in (sample.seed, sample.good):
        assert speech_of(text) is PHRASES[code]
        assert language_of(text) is None


@pytest.mark.parametrize("code", SAMPLES)
def test_a_good_row_in_free_wording_passes(code: str) -> None:
    sample = SAMPLES[code]
    assert not broken(EVOLVE, Case(sample.seed, sample.good))
    answer = sample.agreed * 3
    assert not fails(broken(RESPOND, Case(sample.seed, sample.good, response=answer)))


@pytest.mark.parametrize("code", SAMPLES)
def test_a_bad_rewrite_fails(code: str) -> None:
    sample = SAMPLES[code]
    assert "same_text" in names(broken(EVOLVE, Case(sample.seed, sample.seed)))
    assert "prompt_leak" in names(broken(EVOLVE, Case(sample.seed, sample.leak)))
    assert "replied" in names(broken(EVOLVE, Case(sample.seed, sample.agreed)))
    assert "refusal" in names(broken(EVOLVE, Case(sample.seed, sample.refused)))


@pytest.mark.parametrize("code", SAMPLES)
def test_a_bad_response_fails(code: str) -> None:
    sample = SAMPLES[code]
    for response, rule in (
        (sample.refused, "refusal"),
        (sample.unknown, "dont_know"),
        (sample.question, "asks_for_input"),
    ):
        reasons = broken(RESPOND, Case(sample.seed, sample.good, response=response))
        assert rule in names(reasons), response


@pytest.mark.parametrize(
    ("source", "statement", "terse"),
    [
        (
            SAMPLES["es"].seed,
            "El mercado del pueblo costero abre a las cinco y huele a sal, a algas y a gasóleo.",
            "Lonja de una villa marinera: trescientas palabras, dos diálogos, sin adjetivos de color.",
        ),
        (
            SAMPLES["de"].seed,
            "Der Markt in der kleinen Hafenstadt beginnt um fünf und riecht nach Salz und Tang.",
            "Fischmarkt am frühen Morgen: dreihundert Wörter, zwei Gespräche, keine Farbwörter.",
        ),
        (
            SAMPLES["zh"].seed,
            "海边小镇的集市五点开门，空气里都是盐和海藻的味道，渔民站在木箱旁边。",
            "滨海小城的早市：三百字，两段对话，不用表示颜色的词。",
        ),
    ],
)
def test_a_statement_asks_for_nothing_and_a_terse_request_does(
    source: str, statement: str, terse: str
) -> None:
    assert "no_request" in names(broken(EVOLVE, Case(source, statement)))
    assert "no_request" not in names(broken(EVOLVE, Case(source, terse)))


def test_a_word_keeps_its_vowel_signs() -> None:
    assert words("मछली की मंडी") == ("मछली", "की", "मंडी")
    assert words("ตลาด") == ("ตลาด",)


def test_a_list_that_is_inflected_is_still_there() -> None:
    source = "Расположи по весу: медь, серебро, свинец, золото."
    text = "Выстройте медь, серебра слиток, свинцовый брусок и золотой по весу, укажите плотность."
    assert lost_material(Case(source, text)) is None
    assert lost_material(Case(source, "Выстройте эти металлы по весу и укажите плотность."))


def test_code_and_translations_are_no_drift() -> None:
    asks = "Rédige une requête SQL qui liste tous les clients, y compris ceux sans commande."
    code = "SELECT c.name, SUM(o.total) FROM clients c LEFT JOIN orders o ON o.client = c.id;"
    assert language_drift(Case("Écris une requête SQL.", asks, response=code)) is None
    asks = (
        "Gib den Satz „Morgen regnet es“ in zwei Fassungen auf Englisch wieder und vergleiche sie."
    )
    english = (
        "It will rain tomorrow, and it is going to rain tomorrow: the second is the surer one."
    )
    assert language_drift(Case("Übersetze den Satz.", asks, response=english)) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "请给客户写一封信。",
            "非常抱歉给您带来不便，我们已经加急处理您的订单，请在信中说明三个步骤。",
        ),
        (
            "Schreibe eine Nachricht.",
            "Leider kann ich heute nicht zur Arbeit kommen: Schreibe das in drei Sätzen an meine Chefin.",
        ),
        (
            "Écris un message.",
            "Malheureusement ma commande est en retard : écris un message poli de quatre phrases au vendeur.",
        ),
        (
            "Escreva uma mensagem.",
            "Infelizmente o meu pedido está atrasado: escreva quatro frases educadas para a loja e peça um prazo.",
        ),
        (
            "Напиши письмо.",
            "К сожалению, мой заказ задержали: напиши вежливое письмо из четырёх предложений и попроси назвать срок.",
        ),
        ("क्षमा का पत्र लिखिए।", "क्षमा याचना का एक पत्र लिखिए जिसमें देरी के दो कारण और एक नया समय हो।"),
        (
            "Hitung luas segitiga dengan alas 4 dan tinggi 3.",
            "Tentukan luas segitiga dengan alas 4 dan tinggi 3, lalu jelaskan setiap langkah dan bandingkan dengan persegi.",
        ),
        (
            "日本語で要約してください。",
            "回答は200字以内で、原因と結果を比較しながら、次の出来事を説明してください。",
        ),
        (
            "Donne ton avis sur le télétravail.",
            "D'accord ou pas d'accord avec le télétravail ? Donne ton avis, compare deux métiers et cite un chiffre.",
        ),
        (
            "请写一个计算器程序。",
            "请写一个支持加减乘除的计算器，再写一个支持括号的更复杂的版本，并说明二者的区别。",
        ),
        (
            "Racconta la storia di un pacco.",
            "Racconta la storia di un pacco: la consegna originale era prevista per lunedì, ma arriva un mese dopo.",
        ),
    ],
)
def test_ordinary_beginnings_are_no_evidence(source: str, text: str) -> None:
    assert not fails(broken(EVOLVE, Case(source, text)))


def test_a_letter_may_ask_and_a_translation_may_be_foreign() -> None:
    asks = "Verfasse eine E-Mail an eine Bewerberin und bitte sie höflich um ihren Lebenslauf."
    reply = "Sehr geehrte Frau Kern, bitte senden Sie uns Ihren Lebenslauf bis Freitag zu."
    assert not fails(broken(RESPOND, Case("Schreibe eine Mail.", asks, response=reply)))
    asks = "Übersetze den Satz „Morgen fahren wir mit dem Zug ans Meer“ ins Französische und erkläre nichts."
    reply = "Demain, nous prenons le train pour aller au bord de la mer tous ensemble."
    assert not fails(broken(RESPOND, Case("Übersetze den Satz.", asks, response=reply)))
