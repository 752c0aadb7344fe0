import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about cookies")]


def test_a_choice_is_remembered_without_an_account(client):
    answer = client.get("/display/", {"size": "large", "theme": "dark", "next": "/method/?x=1"})
    assert (answer.status_code, answer.url) == (302, "/method/?x=1")
    assert 'class="size-large theme-dark"' in client.get("/").content.decode()


def test_without_a_choice_type_is_normal_and_the_theme_the_devices(client):
    assert 'class="size-normal theme-auto"' in client.get("/").content.decode()


def test_an_unknown_cookie_counts_as_no_choice(client):
    client.cookies["size"] = '"><script>'
    assert 'class="size-normal theme-auto"' in client.get("/").content.decode()


def test_an_unknown_choice_is_refused(client):
    assert client.get("/display/", {"size": "huge"}).status_code == 400


def test_every_page_leads_to_the_other_size_and_back_to_itself(client):
    client.cookies["theme"] = "dark"
    for size, other in (("normal", "large"), ("large", "normal")):
        client.cookies["size"] = size
        html = client.get("/en/method/?x=1").content.decode()
        assert f'href="/en/display/?size={other}"' in html

        answer = client.get(
            "/en/display/", {"size": other}, headers={"referer": "http://testserver/en/method/?x=1"}
        )

        assert answer.url == "http://testserver/en/method/?x=1"
        html = client.get("/en/").content.decode()
        assert f'class="size-{other} theme-dark"' in html


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "http://example.org/en/"])
def test_a_choice_never_leads_back_to_another_site(client, elsewhere):
    answer = client.get("/en/display/", {"size": "large"}, headers={"referer": elsewhere})

    assert answer.url == "/en/"


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "javascript:x"])
def test_a_choice_never_leads_to_another_site(client, elsewhere):
    assert client.get("/en/display/", {"next": elsewhere}).url == "/en/"
