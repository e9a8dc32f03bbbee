import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';

const target = document.getElementById('app');
if (target !== null) {
  // The first start is an application of its own: nobody can be signed in yet.
  if (location.pathname === '/setup')
    void import('./setup/Setup.svelte').then(({ default: Setup }) => mount(Setup, { target }));
  else mount(App, { target });
}
