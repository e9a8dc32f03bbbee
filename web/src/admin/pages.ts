// The console's pages: which there are, and what of the server each needs.
import type { Component } from 'svelte';
import type { Key } from './texts';
import About from './pages/About.svelte';
import Access from './pages/Access.svelte';
import Archives from './pages/Archives.svelte';
import Certificate from './pages/Certificate.svelte';
import Home from './pages/Home.svelte';
import Indexes from './pages/Indexes.svelte';
import Journals from './pages/Journals.svelte';
import OutgoingMail from './pages/OutgoingMail.svelte';
import Services from './pages/Services.svelte';
import Sessions from './pages/Sessions.svelte';
import Shell from './pages/Shell.svelte';
import Stores from './pages/Stores.svelte';
import Users from './pages/Users.svelte';

export interface AdminPage {
  id: string;
  title: Key;
  component: Component;
  /** Functions that the server must have. */
  needs?: readonly string[];
}

export interface PageGroup {
  title: Key;
  pages: readonly AdminPage[];
}

export const GROUPS: readonly PageGroup[] = [
  { title: 'group.overview', pages: [{ id: 'home', title: 'home.title', component: Home }] },
  {
    title: 'group.users',
    pages: [
      { id: 'users', title: 'users.title', component: Users },
      { id: 'access', title: 'access.title', component: Access },
      { id: 'sessions', title: 'sessions.title', component: Sessions },
    ],
  },
  {
    title: 'group.archive',
    pages: [
      { id: 'archives', title: 'archives.title', component: Archives },
      { id: 'journals', title: 'journals.title', component: Journals },
      { id: 'stores', title: 'stores.title', component: Stores },
      { id: 'indexes', title: 'indexes.title', component: Indexes },
    ],
  },
  {
    title: 'group.machine',
    pages: [
      { id: 'services', title: 'services.title', component: Services },
      { id: 'certificate', title: 'certificate.title', component: Certificate, needs: ['GetCertificate', 'SetCertificate'] },
      { id: 'smtp', title: 'smtp.title', component: OutgoingMail, needs: ['GetSmtpSettings', 'SetSmtpSettings'] },
    ],
  },
  {
    title: 'group.more',
    pages: [
      { id: 'shell', title: 'shell.title', component: Shell },
      { id: 'about', title: 'about.title', component: About },
    ],
  },
];
