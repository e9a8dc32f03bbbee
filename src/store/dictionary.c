/*
 * dictionary.c - the built-in dictionary: what mails have in common, before any is known
 *
 * Raw content for zstd, number 1. Written by hand after what standards, mail programs and
 * habits make mails look like. zstd refers most cheaply to what stands near the end, so the
 * most frequent comes last. Its octets are part of the disk format: never change it, add another.
 */
#include "internal.h"

const char *const builtin_dictionary[] = {
    /* common words, German and English */
    " Sehr geehrte Damen und Herren,\r\n\r\n Sehr geehrter Herr  Sehr geehrte Frau  Guten Tag ",
    "Liebe Kolleginnen und Kollegen, Hallo zusammen,\r\n vielen Dank für Ihre Nachricht. ",
    "anbei erhalten Sie die Rechnung, das Angebot, die Bestellung, den Vertrag, die Unterlagen. ",
    "Bitte teilen Sie uns mit, ob der Termin am Montag, Dienstag, Mittwoch, Donnerstag oder ",
    "Freitag um 10:00 Uhr passt. Januar Februar März April Mai Juni Juli August September ",
    "Oktober November Dezember. Für Rückfragen stehe ich Ihnen gerne zur Verfügung.\r\n\r\n",
    "Mit freundlichen Grüßen\r\n Mit freundlichen Gr=C3=BC=C3=9Fen\r\n Viele Gr=C3=BC=C3=9Fe ",
    "Beste Grüße\r\n i. A. Geschäftsführer: Sitz der Gesellschaft: Amtsgericht HRB USt-IdNr.: DE",
    "Telefon: +49 Telefax: Mobil: E-Mail: Straße Postfach Diese E-Mail enthält vertrauliche ",
    "und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind, ",
    "informieren Sie bitte sofort den Absender und vernichten Sie diese E-Mail. Von: Gesendet: ",
    "An: Cc: Betreff: AW: WG: Am schrieb: -----Ursprüngliche Nachricht-----\r\n ",
    " und die der das nicht ist auch sich auf mit dem für eine einen einer werden wurde haben ",
    "sind noch wird oder aber wenn dass wie nach bei über unter zwischen durch ohne gegen ",
    "können müssen sollen möchten bereits heute morgen gestern Woche Monat Jahr Uhr EUR Euro ",
    "Dear Sir or Madam, Dear All, Hello everyone, Hi , Thank you for your email. Please find ",
    "attached the invoice, the agreement, the report, the minutes of the meeting. Please let me ",
    "know if you have any questions. Let me know what you think. I look forward to hearing from ",
    "you. Best regards,\r\n Kind regards,\r\n Regards,\r\n Thanks,\r\n Cheers,\r\n Sincerely,\r\n ",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June ",
    "July August September October November December This e-mail and any attachments are ",
    "confidential and may be privileged. If you are not the intended recipient, please notify ",
    "the sender and delete this message. To unsubscribe from this list, send an email to ",
    "You received this message because you are subscribed to the mailing list. Click here to ",
    "unsubscribe. All rights reserved. Copyright (c) Privacy Policy Terms of Service information ",
    "-----Original Message-----\r\nFrom: \r\nSent: \r\nTo: \r\nSubject: RE: FW: Re: Fwd: ",
    " the and that have for not with you this but from they say her she will one all would there ",
    "their what out about who which when make can like time just know take people into year your ",
    "good some could them see other than then now look only come over think also back after use ",
    "how our work first well even new want because any these give most should where been more ",
    "were has had does did are was his been please send message email address free click here\r\n",
    "\r\n-- \r\n\r\n__________________________________________________\r\n",
    "_______________________________________________\r\n mailing list\r\n",
    "https://lists.example/mailman/listinfo/\r\n On , at , wrote:\r\n> > >> \r\n> \r\n>\r\n\n> \n>\n",
    "-----BEGIN PGP SIGNATURE-----\r\nVersion: GnuPG v1\r\n-----END PGP SIGNATURE-----\r\n",
    "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA1\r\nHash: SHA256\r\n",
    /* HTML as mail programs write it */
    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" "
    "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\r\n",
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\">\r\n<!DOCTYPE html>\r\n",
    "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" "
    "xmlns:o=\"urn:schemas-microsoft-com:office:office\" "
    "xmlns:w=\"urn:schemas-microsoft-com:office:word\" "
    "xmlns:m=\"http://schemas.microsoft.com/office/2004/12/omml\" "
    "xmlns=\"http://www.w3.org/TR/REC-html40\">\r\n",
    "<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\">\r\n",
    "<meta name=3D\"Generator\" content=3D\"Microsoft Word 15 (filtered medium)\">\r\n",
    "<META content=3D\"text/html; charset=3Diso-8859-1\" http-equiv=3DContent-Type>\r\n",
    "<title></title>\r\n<style type=\"text/css\">\r\n<!--\r\n/* Font Definitions */\r\n@font-face\r\n",
    "\t{font-family:\"Cambria Math\";\r\n\tpanose-1:2 4 5 3 5 4 6 3 2 4;}\r\n@font-face\r\n",
    "\t{font-family:Calibri;\r\n\tpanose-1:2 15 5 2 2 2 4 3 2 4;}\r\n/* Style Definitions */\r\n",
    "p.MsoNormal, li.MsoNormal, div.MsoNormal\r\n\t{margin:0cm;\r\n\tmargin-bottom:.0001pt;\r\n",
    "\tfont-size:11.0pt;\r\n\tfont-family:\"Calibri\",sans-serif;\r\n\tmso-fareast-language:EN-US;}",
    "\r\na:link, span.MsoHyperlink\r\n\t{mso-style-priority:99;\r\n\tcolor:#0563C1;\r\n",
    "\ttext-decoration:underline;}\r\na:visited, span.MsoHyperlinkFollowed\r\n",
    "span.EmailStyle17\r\n\t{mso-style-type:personal-compose;\r\n\tfont-family:\"Calibri\",sans-serif;",
    "\r\n\tcolor:windowtext;}\r\n.MsoChpDefault\r\n\t{mso-style-type:export-only;}\r\n",
    "@page WordSection1\r\n\t{size:612.0pt 792.0pt;\r\n\tmargin:70.85pt 70.85pt 2.0cm 70.85pt;}\r\n",
    "div.WordSection1\r\n\t{page:WordSection1;}\r\n--></style>\r\n</head>\r\n",
    "<body lang=\"DE\" link=\"#0563C1\" vlink=\"#954F72\">\r\n<div class=\"WordSection1\">\r\n",
    "<body bgcolor=\"#FFFFFF\" text=\"#000000\" link=\"#0000FF\" leftmargin=\"0\" topmargin=\"0\" "
    "marginwidth=\"0\" marginheight=\"0\">\r\n",
    "<table width=\"100%\" border=\"0\" cellspacing=\"0\" cellpadding=\"0\" align=\"center\">\r\n",
    "<TABLE cellSpacing=0 cellPadding=0 width=600 border=0><TBODY><TR><TD vAlign=top align=middle>",
    "<tr>\r\n<td width=\"10\" height=\"1\" bgcolor=\"#CCCCCC\" align=\"left\" valign=\"top\" "
    "style=\"padding:0;font-family:Arial,Helvetica,sans-serif;font-size:12px;color:#333333\">",
    "<font face=\"Verdana, Arial, Helvetica, sans-serif\" size=\"2\" color=\"#000000\"><b></b></font>",
    "<FONT face=3DArial color=3D#000000 size=3D2></FONT></DIV>\r\n<DIV>&nbsp;</DIV>\r\n<BR>\r\n",
    "<img src=\"http://www.\" width=\"1\" height=\"1\" border=\"0\" alt=\"\">",
    "<a href=\"http://www.\" target=\"_blank\" style=\"color:#0000ff;text-decoration:none\"></a>",
    "<p class=\"MsoNormal\"><span lang=\"EN-US\" style=\"mso-fareast-language:DE\"><o:p>&nbsp;</o:p>"
    "</span></p>\r\n<p class=3D\"MsoNormal\"><o:p>&nbsp;</o:p></p>\r\n",
    "<div dir=3D\"ltr\"><br></div><div class=3D\"gmail_quote\"><blockquote class=3D\"gmail_quote\" "
    "style=3D\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\">",
    "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\">\r\n",
    "</span></font></p></div></td></tr>\r\n</table>\r\n</center></body>\r\n</html>\r\n",
    /* delivery reports and journal reports */
    "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"",
    "This is the mail system at host\r\nReporting-MTA: dns; \r\nFinal-Recipient: rfc822; \r\n",
    "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n",
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\n",
    "BEGIN:VEVENT\r\nORGANIZER;CN=:MAILTO:\r\nATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;"
    "RSVP=TRUE;CN=\r\nDTSTART;TZID=W. Europe Standard Time:20\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    "X-MS-Journal-Report:\r\nX-MS-Exchange-Organization-Journal-Report:\r\n"
    "Content-Identifier: exjournalreport\r\nContent-Type: multipart/mixed; boundary=\"\r\n"
    "Content-Type: text/plain; charset=\"us-ascii\"\r\n\r\nSender: \r\nSubject: \r\nMessage-Id: <\r\n"
    "Recipient: \r\nTo: \r\nCc: \r\nBcc: \r\nOn-Behalf-Of: \r\nExpanded: \r\nForwarded: \r\n"
    "Content-Type: message/rfc822\r\n\r\n",
    /* header fields of large providers */
    "X-MS-Exchange-Transport-CrossTenantHeadersStamped: \r\nX-MS-Exchange-CrossTenant-"
    "OriginalArrivalTime: \r\nX-MS-Exchange-CrossTenant-FromEntityHeader: Hosted\r\n"
    "X-MS-Exchange-CrossTenant-Id: \r\nX-MS-Exchange-CrossTenant-AuthAs: Internal\r\n"
    "X-MS-Exchange-CrossTenant-AuthSource: \r\nX-MS-PublicTrafficType: Email\r\n"
    "X-MS-TrafficTypeDiagnostic: \r\nX-MS-Exchange-SenderADCheck: 1\r\n"
    "X-MS-Exchange-AntiSpam-Relay: 0\r\nX-Microsoft-Antispam: BCL:0;\r\n"
    "X-Microsoft-Antispam-Message-Info: \r\nX-Forefront-Antispam-Report: CIP:;CTRY:;LANG:de;SCL:1;"
    "SRV:;IPV:NLI;SFV:NSPM;H:;PTR:;CAT:NONE;SFS:;DIR:OUT;SFP:1102;\r\n",
    "X-MS-Has-Attach: yes\r\nX-MS-TNEF-Correlator:\r\nThread-Topic: \r\nThread-Index: AQH\r\n"
    "Accept-Language: de-DE, en-US\r\nContent-Language: de-DE\r\nauthentication-results: "
    "dkim=none (message not signed)\r\n header.d=none;dmarc=none action=none header.from=;\r\n",
    "ARC-Seal: i=1; a=rsa-sha256; s=arcselector9901; d=microsoft.com; cv=none;\r\n b=",
    "ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=microsoft.com;\r\n s=",
    "ARC-Authentication-Results: i=1; mx.microsoft.com 1; spf=pass\r\n smtp.mailfrom=; dmarc=pass "
    "action=none header.from=; dkim=pass\r\n header.d=; arc=none\r\n",
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=gmail.com; s=20230601; t=; x=;\r\n"
    "        h=from:to:cc:subject:date:message-id:reply-to:mime-version:content-type;\r\n"
    "        bh=;\r\n        b=",
    "Authentication-Results: spf=pass (sender IP is )\r\n smtp.mailfrom=; dkim=pass (signature was "
    "verified)\r\n header.d=;dmarc=pass action=none header.from=;compauth=pass reason=100\r\n",
    "Received-SPF: Pass (protection.outlook.com: domain of  designates  as permitted\r\n sender)"
    " receiver=protection.outlook.com; client-ip=; helo=; pr=C\r\n",
    "X-Gm-Message-State: \r\nX-Google-Smtp-Source: \r\nX-Google-DKIM-Signature: v=1; a=rsa-sha256; "
    "c=relaxed/relaxed;\r\n        d=1e100.net; s=20230601;\r\nX-Received: by 2002:a05:\r\n",
    "X-Spam-Status: No, hits= required=5.0\r\n\ttests=\r\n\tversion=\r\nX-Spam-Level: \r\n"
    "X-Spam-Checker-Version: SpamAssassin \r\nX-Virus-Scanned: amavisd-new at \r\n",
    /* lists */
    "Precedence: bulk\r\nPrecedence: list\r\nErrors-To: \r\nX-BeenThere: \r\nX-Mailman-Version: 2.\r\n"
    "Sender: \r\nList-Id: <\r\nList-Unsubscribe: <https:///mailman/listinfo/>,\r\n"
    "    <mailto:-request@?subject=unsubscribe>\r\nList-Archive: <\r\nList-Post: <mailto:\r\n"
    "List-Help: <mailto:-request@?subject=help>\r\nList-Subscribe: <https:///mailman/listinfo/>,\r\n"
    "    <mailto:-request@?subject=subscribe>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    /* programs */
    "X-Mailer: Microsoft Outlook 16.0\r\nX-Mailer: Microsoft Outlook Express 6.00.2600.0000\r\n"
    "X-MimeOLE: Produced By Microsoft MimeOLE V6.00.2600.0000\r\nX-Mailer: Apple Mail (2.\r\n"
    "X-MSMail-Priority: Normal\r\nX-Priority: 3 (Normal)\r\nX-Priority: 3\r\nImportance: Normal\r\n"
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:) Gecko/20100101\r\n Thunderbird/\r\n"
    "User-Agent: Mutt/1.\r\nX-Accept-Language: en-us, en\r\nOrganization: \r\n",
    /* MIME */
    "--\r\nContent-Type: application/octet-stream; name=\"\r\nContent-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\".pdf\"; size=; creation-date=\"\"; "
    "modification-date=\"\"\r\n\r\n",
    "Content-Type: application/pdf; name=\"\r\nContent-Description: \r\nContent-ID: <image001.png@01D"
    "\r\nContent-Type: image/png; name=\"image001.png\"\r\nContent-Disposition: inline; filename=\""
    "image001.jpg\"\r\nContent-Type: image/jpeg; name=\"image001.jpg\"\r\nX-Attachment-Id: \r\n",
    "Content-Type: application/vnd.openxmlformats-officedocument.wordprocessingml.document;\r\n"
    "Content-Type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;\r\n",
    "Content-Type: multipart/mixed;\r\n\tboundary=\"----=_NextPart_000_0000_01C\"\r\n"
    "Content-Type: multipart/related;\r\n\tboundary=\"_000_\"; type=\"text/html\"\r\n"
    "Content-Type: multipart/alternative;\r\n\tboundary=\"_000_\"\r\n"
    "Content-Type: multipart/alternative; boundary=\"0000000000000\r\n"
    "This is a multi-part message in MIME format.\r\n\r\n------=_NextPart_000_\r\n",
    "Content-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Content-Type: text/html; charset=\"iso-8859-1\"\r\nContent-Type: text/html; "
    "charset=us-ascii\r\nContent-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    "Content-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Disposition: inline\r\n"
    "Content-Type: text/plain; charset=\"iso-8859-1\"\r\nContent-Type: text/plain; "
    "charset=us-ascii\r\nContent-Type: text/plain\r\nContent-Language: en-US\r\n",
    /* trace and identification, as they begin a mail */
    "Return-Path: <\r\nReturn-path: <\r\nDelivered-To: \r\nX-Original-To: \r\nEnvelope-to: \r\n"
    "Delivery-date: Mon, \r\nReceived: from localhost (localhost [127.0.0.1])\r\n"
    "\tby mail. (Postfix) with ESMTP id \r\n\tfor <>; Mon, 01 Jan 2026 00:00:00 +0000 (UTC)\r\n"
    "Received: from [192.168.] by  with esmtpsa (TLS1.3:ECDHE_X25519__ECDSA_SECP256R1_SHA256)\r\n"
    "\t(Exim 4.)\r\n\t(envelope-from <>)\r\n\tid \r\nReceived: from  ([10.])\r\n"
    "    by  with ESMTPSA id .\r\n    (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n"
    "Received: from  (HELO )\r\n  by  with SMTP; 1 Jan 2026 00:00:00 -0000\r\n"
    "Received: from  by  with local-smtp for ; \r\nReceived: by  (Postfix, from userid 1000)\r\n"
    "Received: by 10. with SMTP id ; Tue, 02 Feb 2026 00:00:00 -0800 (PST)\r\n"
    "Received: from .eurprd01.prod.exchangelabs.com ([fe80::])\r\n by .eurprd01.prod.exchangelabs.com "
    "([fe80::%4])\r\n with mapi id 15.20.; Wed, 3 Mar 2026 00:00:00 +0000\r\n"
    "Received: from  (2603:10a6:) by\r\n  with Microsoft SMTP Server (version=TLS1_2,\r\n "
    "cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.; Thu, 4 Apr 2026\r\n",
    "Message-ID: <@mail.gmail.com>\r\nMessage-Id: <.@>\r\nIn-Reply-To: <\r\nReferences: <>\r\n <>\r\n"
    "Reply-To: \r\nReply-to: \r\nMIME-Version: 1.0\r\nMime-Version: 1.0\r\n"
    "Date: Fri, 5 May 2026 00:00:00 +0200\r\nDate: Sat, 06 Jun 2026 -0700\r\nDate: Sun, 07 Jul 2026 "
    "-0400 (EDT)\r\nFrom: \"\" <@gmail.com>\r\nFrom: =?utf-8?Q?=C3=BC?= <\r\nFrom: =?iso-8859-1?Q?\r\n"
    "To: undisclosed-recipients:;\r\nTo: <>\r\nTo: \"\" <\r\nCc: \r\nCC: \r\nSubject: Re: \r\n"
    "Subject: =?utf-8?B?\r\nSubject: =?UTF-8?Q?\r\nSubject: \r\nFrom: \r\nDate: \r\n",
};
const unsigned builtin_dictionary_count = G_N_ELEMENTS(builtin_dictionary);
