# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
# ruff: noqa: RUF001 - letters that look alike are what this file is about
"""Words that stand where a registry name should be: data for :mod:`.names`. Only help: rules come first.

The words of the 29 locales of the page "Issues related to TLS deprecation" (docs/reference/schannel.md 8.1), its words
in tests/data/translated_pages.json among them, and those of other languages into which Windows documentation is
translated.
"Client" is often translated as "customer". Spelling, case and accents do not matter: the names are folded.
"""

from __future__ import annotations

CLIENT_WORDS = """
client side, client application, customer
da nb sv de: klient, klienten, klienter, klientside, klientprogram, Kunde, Kunden, kund
fi: asiakas, asiakkaan, asiakasohjelma, asiakaspuoli; nl: cliënt, klant; fr: poste client
es it pt gl: cliente, clientes; ro: clientul, clientului; eu: bezeroa; is: biðlari
pl cs sk: klient, klienta, klientem, klientský, klienci, zákazník; hu: ügyfél, kliens, ügyfélgép, ügyfélprogram
hr sr bs: klijent, klijenta, клијент, клијента; sl: odjemalec, odjemalca, stranka, klient; mk: клиент
bg ru: клиент, клиента, клиентский, клиентска, заказчик; uk: клієнт, клієнта, клієнтський; kk: клиент
et: klient, kliendi; lv: klients, klienta, klientam; lt: klientas, kliento, klientui
el: πελάτης, πελάτη, πρόγραμμα-πελάτης, πρόγραμμα πελάτη, υπολογιστής-πελάτης
tr: istemci, müşteri; az: müştəri; vi: máy khách, khách hàng, trình khách; id ms: klien, pelanggan
ar: العميل, عميل; he: לקוח, הלקוח; fa: مشتری, کلاینت, سرویس گیرنده; hi: क्लाइंट, क्लाएंट, ग्राहक; th: ไคลเอ็นต์, ลูกค้า
ja: クライアント, 顧客; ko: 클라이언트, 고객; zh: 客户端, 客戶端, 用戶端, 用户端, 客户机, 客户, 客戶
"""

SERVER_WORDS = """
server side, server application
da nb sv: tjener, tjeneren, serveren, servern; fi: palvelin, palvelimen; fr: serveur
es pt ca gl: servidor, servidores; it: servente; ro: serverul, serverului; eu: zerbitzaria
is: þjónn, netþjónn, miðlari; pl: serwer, serwera; cs sk: serveru, servera; hu: kiszolgáló, szerver
hr bs: poslužitelj, poslužitelja; sr mk: сервер, сервера, опслужувач; sl: strežnik, strežnika
bg: сървър, сървъра, сървърен; ru uk kk: сервер, сервера, серверный, серверний
et: serveri; lv: serveris, servera; lt: serveris, serverio, tarnybinė stotis
el: διακομιστής, διακομιστή, εξυπηρετητής; tr: sunucu; vi: máy chủ; id: peladen; ms: pelayan
ar: الخادم, خادم, الملقم, ملقم; he: שרת, השרת; fa: سرور, سرویس دهنده, کارگزار; hi: सर्वर; th: เซิร์ฟเวอร์
ja: サーバー, サーバ; ko: 서버; zh: 服务器, 伺服器, 服务端, 服務器
"""

ENABLED_WORDS = """
activated, active, on
da: aktiveret; nb: aktivert; sv: aktiverad, aktiverat; de: aktiviert, eingeschaltet; fi: käytössä, otettu käyttöön
nl: ingeschakeld, geactiveerd; fr: activé, activée; es: habilitado, activado; pt: habilitado, ativado, activado
ca: habilitat, activat; it: abilitato, attivato; ro: activat, activată; is: virkt
pl: włączone, włączony, włączona; cs: povoleno, zapnuto; sk: povolené, zapnuté; hu: engedélyezve, bekapcsolva
hr bs sr: omogućeno, omogućen, омогућено, омогућен, aktivirano; sl: omogočeno, omogočen
bg mk: активиран, активирано, разрешен, разрешено, включен, включено, овозможено; ru: включено, включен, включён
uk: увімкнено, ввімкнено, активовано; et: lubatud, sisse lülitatud; lv: iespējots, iespējota
lt: įjungtas, įjungta, įgalintas, įgalinta; el: ενεργοποιημένο, ενεργοποιημένη, ενεργοποιήθηκε
tr: etkin, etkinleştirildi; vi: bật, đã bật, được bật, kích hoạt; id: diaktifkan, aktif; ms: didayakan
ar: ممكن, ممكّن, تمكين; he: מופעל, זמין; fa: فعال; hi: सक्षम; th: เปิดใช้งาน, เปิด
ja: 有効; ko: 사용, 사용함; zh: 已启用, 启用, 已啟用, 啟用
"""

DISABLED_BY_DEFAULT_WORDS = """
disabled, disable, deactivated, off by default, default disabled
da: deaktiveret, deaktiveret som standard; nb: deaktivert, deaktivert som standard
sv: inaktiverad, inaktiverat, inaktiverad som standard; de: deaktiviert, standardmäßig deaktiviert, ausgeschaltet
fi: ei käytössä, poistettu käytöstä, oletusarvoisesti poistettu käytöstä, pois käytöstä oletusarvoisesti
nl: uitgeschakeld, standaard uitgeschakeld; fr: désactivé, désactivée, désactivé par défaut
es: deshabilitado, desactivado, deshabilitado de forma predeterminada; pt: desabilitado, desativado, desactivado
ca: inhabilitat, desactivat; it: disabilitato, disattivato, disabilitato per impostazione predefinita
ro: dezactivat, dezactivat implicit; is: óvirkt; pl: wyłączone, wyłączony, domyślnie wyłączone
cs: zakázáno, vypnuto, ve výchozím nastavení zakázáno; sk: zakázané, vypnuté
hu: letiltva, kikapcsolva, alapértelmezés szerint letiltva
hr bs sr: onemogućeno, onemogućen, onemogućavanje, онемогућено, онемогућен; sl: onemogočeno, privzeto onemogočeno
bg mk: деактивиран, деактивирано, забранен, забранено, изключен, изключено, оневозможено
ru: отключено, отключен, отключён, выключено, отключено по умолчанию; uk: вимкнено, вимкнено за замовчуванням
et: keelatud, vaikimisi keelatud, välja lülitatud; lv: atspējots, atspējota, pēc noklusējuma atspējots
lt: išjungtas, išjungta, pagal numatytuosius nustatymus išjungta; el: απενεργοποιημένο, απενεργοποιημένη
tr: devre dışı, varsayılan olarak devre dışı; vi: tắt, đã tắt, vô hiệu hóa, vô hiệu hóa theo mặc định
id: dinonaktifkan, nonaktif, dinonaktifkan secara default; ms: dinyahdayakan
ar: معطل, معطّل, تعطيل, معطل بشكل افتراضي; he: מושבת; fa: غیرفعال, غیر فعال; hi: अक्षम; th: ปิดใช้งาน, ปิด
ja: 無効, 既定で無効; ko: 사용 안 함, 사용안함; zh: 已禁用, 禁用, 默认禁用, 已停用, 停用, 預設停用
"""

# What people call things that they put aside: no word for a side or a value, whatever else is missing.
REMARKS = """
archive, backup, bak, before, copy, deleted, foo, new, note, old, orig, original, previous, remark, save, saved, temp
test, tmp, unused, copia, kopia, kopie, sauvegarde, sicherung, varmuuskopio, копия, резервн, старый
"""

# Protocol families written in another script.
FAMILY_WORDS = {"тлс": "tls", "ссл": "ssl", "дтлс": "dtls"}

# Letters of other scripts (and Latin ones that no normalization takes apart) by the Latin letter that they look like.
# A selection of Unicode's confusables (UTS #39): what occurs in the names that Windows knows.
LOOK_ALIKES = {
    "a": "АаΑαɑᴀ",
    "b": "ВвΒβЬьʙ",
    "c": "СсϹϲᴄ",
    "d": "ԀԁđĐᴅ",
    "e": "ЕеΕεЄєəᴇ",
    "f": "ϝƒꜰ",
    "g": "ɡց",
    "h": "НнΗҺһħ",
    "i": "ІіΙιıɩɪ",
    "j": "ЈјϳΪ",
    "k": "КкΚκᴋ",
    "l": "ӀӏłŁʟ",
    "m": "МмΜᴍ",
    "n": "ΝηПпոɴ",
    "o": "ОоΟοσøØօᴏ",
    "p": "РрΡρᴘ",
    "r": "гЯяʀ",
    "s": "ЅѕꜱςՏ",
    "t": "ТтΤτŧᴛ",
    "u": "υսцᴜ",
    "v": "νѴѵᴠ",
    "w": "ԜԝωᴡШш",
    "x": "ХхΧχ",
    "y": "УуΥүʏ",
    "z": "Ζᴢ",
}
