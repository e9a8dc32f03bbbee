// What Mailkeep is made of, and under which licences (SE-04). Loaded with the page that shows it.
import apache from './licences/Apache-2.0.txt?raw';
import bsd from './licences/BSD.txt?raw';
import isc from './licences/ISC.txt?raw';
import lgpl2 from './licences/LGPL-2.1.txt?raw';
import lgpl3 from './licences/LGPL-3.0.txt?raw';
import mit from './licences/MIT.txt?raw';
import openldap from './licences/OLDAP-2.8.txt?raw';
import unicode from './licences/Unicode.txt?raw';
import zlib from './licences/Zlib.txt?raw';

export interface Part {
  name: string;
  url: string;
  licences: readonly string[];
  copyright: readonly string[];
}

export const PARTS: readonly Part[] = [
  { name: 'Mailkeep', url: 'https://www.apache.org/licenses/LICENSE-2.0', licences: ['Apache-2.0'], copyright: ['© the Mailkeep authors'] },
  { name: 'CRoaring', url: 'https://roaringbitmap.org/', licences: ['Apache-2.0'], copyright: ['© 2016 The CRoaring authors, Daniel Lemire'] },
  { name: 'Expat', url: 'https://libexpat.github.io/', licences: ['MIT'], copyright: ['© 1998-2000 Thai Open Source Software Center Ltd and Clark Cooper', '© 2001 Expat maintainers'] },
  { name: 'GLib', url: 'https://gitlab.gnome.org/GNOME/glib', licences: ['LGPL-2.1-or-later'], copyright: ['© the GLib authors'] },
  { name: 'GMime', url: 'https://github.com/jstedfast/gmime', licences: ['LGPL-2.1-or-later'], copyright: ['© 2000-2022 Jeffrey Stedfast'] },
  { name: 'libarchive', url: 'https://www.libarchive.org/', licences: ['BSD-2-Clause', 'BSD-3-Clause'], copyright: ['© 2003-2018 Tim Kientzle and others'] },
  { name: 'libedit', url: 'https://thrysoee.dk/editline/', licences: ['BSD-3-Clause'], copyright: ['© 1992, 1993 The Regents of the University of California'] },
  { name: 'libidn2', url: 'https://www.gnu.org/software/libidn/', licences: ['LGPL-3.0-or-later', 'Unicode'], copyright: ['© 2011-2022 Simon Josefsson', '© 1991-2011 Unicode, Inc.'] },
  { name: 'libseccomp', url: 'https://github.com/seccomp/libseccomp', licences: ['LGPL-2.1'], copyright: ['© 2012 Paul Moore, Red Hat'] },
  { name: 'libsodium', url: 'https://libsodium.org/', licences: ['ISC'], copyright: ['© 2013-2023 Frank Denis'] },
  { name: 'libuv', url: 'https://libuv.org/', licences: ['MIT'], copyright: ['© 2015 libuv project contributors', '© Joyent, Inc. and other Node contributors'] },
  { name: 'libyaml', url: 'https://pyyaml.org/wiki/LibYAML', licences: ['MIT'], copyright: ['© 2006-2016 Kirill Simonov', '© 2017-2020 Ingy döt Net'] },
  { name: 'llhttp', url: 'https://llhttp.org/', licences: ['MIT'], copyright: ['© 2018 Fedor Indutny'] },
  { name: 'LMDB', url: 'https://www.symas.com/lmdb', licences: ['OLDAP-2.8'], copyright: ['© 2011-2021 Howard Chu, Symas Corp.', '© 2009, 2010 Martin Hedenfalk'] },
  { name: 'Mbed TLS', url: 'https://www.trustedfirmware.org/projects/mbed-tls/', licences: ['Apache-2.0'], copyright: ['© The Mbed TLS Contributors'] },
  { name: 'PCRE2', url: 'https://www.pcre.org/', licences: ['BSD-3-Clause'], copyright: ['© 1997-2022 University of Cambridge', '© 2009-2022 Zoltan Herczeg'] },
  { name: 'Svelte', url: 'https://svelte.dev/', licences: ['MIT'], copyright: ['© 2016-2025 Svelte contributors'] },
  { name: 'utf8proc', url: 'https://juliastrings.github.io/utf8proc/', licences: ['MIT', 'Unicode'], copyright: ['© 2014-2021 Steven G. Johnson, Jiahao Chen, Tony Kelman, Jonas Fonseca and others', '© 2009, 2013 Public Software Group e. V.', '© 1991-2007 Unicode, Inc.'] },
  { name: 'yyjson', url: 'https://github.com/ibireme/yyjson', licences: ['MIT'], copyright: ['© 2020 YaoYuan'] },
  { name: 'zlib', url: 'https://zlib.net/', licences: ['Zlib'], copyright: ['© 1995-2022 Jean-loup Gailly and Mark Adler'] },
  { name: 'Zstandard', url: 'https://facebook.github.io/zstd/', licences: ['BSD-3-Clause'], copyright: ['© Meta Platforms, Inc. and affiliates'] },
];

export const LICENCES: readonly { name: string; text: string }[] = [
  { name: 'Apache-2.0', text: apache },
  { name: 'BSD-2-Clause, BSD-3-Clause', text: bsd },
  { name: 'ISC', text: isc },
  { name: 'LGPL-2.1', text: lgpl2 },
  { name: 'LGPL-3.0', text: lgpl3 },
  { name: 'MIT', text: mit },
  { name: 'OLDAP-2.8', text: openldap },
  { name: 'Unicode', text: unicode },
  { name: 'Zlib', text: zlib },
];
